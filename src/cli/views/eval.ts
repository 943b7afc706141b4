/** A measuring, for eyes. */
import { decisionText } from "../../jobs/record/verdict.ts";
import type { Effect } from "../../metrics/effect.ts";
import type { Beside, EvalResult } from "../../results/eval.ts";
import { printable } from "../../tensor/printable.ts";
import { effectRows, rateText, scoresHead, scoresRow, table, warningText } from "../text.ts";

export function evalText(result: EvalResult): string {
  const { ca, receipt, trigger, triggered, target, warnings, elsewhere, decision } = result;
  const effect = effectOf(result);
  if (receipt === undefined || effect === undefined) {
    const rows = [["clean accuracy", rateText(ca), `${ca.n} images`]];
    if (effect !== undefined) {
      const { asr } = effect;
      rows.push(["attack success rate", rateText(asr), `${trigger?.kind ?? triggered} -> ${target}, ${asr.n} images`]);
      rows.push(...effectRows(effect));
    }
    for (const [name, rate] of Object.entries(result.metrics ?? {}))
      rows.push([name, rateText(rate), `${rate.n} images`]);
    rows.push(...besideRows(result));
    const left =
      elsewhere &&
      `It carries ${printable(elsewhere.kind)} -> "${printable(elsewhere.target)}", which is no class of this data.\n`;
    const said =
      decision && effect && `${printable(capital(decisionText(decision, effect, target ?? "", ca)), 4000)}\n`;
    return `${table(rows)}${said ?? ""}${left ?? ""}${warningText(warnings)}`;
  }
  const { asr } = effect;
  const found = decision && decision.answer !== "no backdoor" && decisionText(decision, effect, target ?? "", ca);
  const { agrees, by, tolerance, because, notes } = receipt;
  const how = by === "counts" ? `same images, same weights, counts within ${tolerance}` : "rates, within chance";
  const verdict = agrees
    ? `AGREES: the receipt's figures were measured again (${how})`
    : `DOES NOT AGREE with its receipt (${how})`;
  return [
    table([scoresHead, scoresRow("receipt", receipt.claimed), scoresRow("measured", { ca, asr })]),
    `${verdict}\n`,
    ...because.map((why) => `  - ${printable(why, 1000)}\n`),
    found ? `${printable(capital(found), 4000)}\n` : "",
    ...notes.map((note) => `Note: ${printable(note, 2000)}\n`),
    warningText(warnings),
  ].join("");
}

/** Beside the reference, and on other data sets. */
function besideRows({ reference, beside, also = [] }: EvalResult): string[][] {
  const kept = (one: Beside) => {
    const { value, interval } = one.retention;
    const [low, high] = interval.map((bound) => (100 * bound).toFixed(1));
    return `${(100 * value).toFixed(1)} % kept (${low} to ${high}), same answer ${rateText(one.agreement)}`;
  };
  return [
    ...(reference && beside ? [[`beside ${reference.path}`, rateText(beside.ca), kept(beside)]] : []),
    ...also.map(({ data, ca, beside }) => [data, rateText(ca), beside === undefined ? `${ca.n} images` : kept(beside)]),
  ];
}

const effectOf = ({ asr, withoutTrigger, difference, triggeredAccuracy }: EvalResult): Effect | undefined =>
  asr && withoutTrigger && difference && { asr, withoutTrigger, difference, triggeredAccuracy };

const capital = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
