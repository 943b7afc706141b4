/** Vectors and what comes of them, for eyes. */
import { listed } from "../../jobs/inputs/model-facts.ts";
import { alphaText } from "../../report/numbers.ts";
import type { ApplyResult, CosineResult, VectorResult } from "../../results/vector.ts";
import { bytesText, readingText, table } from "../text.ts";

export function applyText(result: ApplyResult): string {
  const { model, vector, alpha, floored, brought, declared, output } = result;
  return [
    `${model} + ${alphaText(alpha)} ${vector}\n`,
    floored ? `Running variances below zero, set to zero: ${floored}\n` : "",
    brought ? `It carries a backdoor again: ${listed(brought)}\n` : "",
    declared ? `It declares what ${model} declares: ${listed(declared)}; tbar eval measures whether that is so\n` : "",
    readingText(result),
    `Written: ${output.path}\n`,
  ].join("");
}

export function cosineText({ cosine, groups = [] }: CosineResult): string {
  const parts = groups.map(({ name, cosine, norms }) => [`  ${name}`, cosine.toFixed(4), `norms ${norms.map((norm) => norm.toPrecision(3)).join(" and ")}`]); // biome-ignore format: one line
  return `${cosine.toFixed(6)}\n${parts.length === 0 ? "" : `By part:\n${table(parts)}`}`;
}

export function vectorText(result: VectorResult): string {
  const { path, bytes, alpha, parent, backdoors = [], tensors, values, norm, groups } = result;
  const facts = [
    ["file", `${path} (${bytesText(bytes)})`],
    ["changes", `${tensors} tensors, ${values.toLocaleString("en-US")} values`],
    ["norm", norm.toPrecision(4)],
    ...(alpha === undefined ? [] : [["alpha", String(alpha)]]),
    ...(parent === undefined ? [] : [["from", `SHA-256 ${parent}`]]),
    ...backdoors.map(({ trigger, target, adding }) => [
      "backdoor",
      `${trigger.kind} -> "${target}": adding the vector ${adding} it, subtracting it ${adding === "implants" ? "removes" : "implants"} it`,
    ]),
  ];
  const parts = groups.map((group) => [`  ${group.name}`, group.norm.toPrecision(4)]);
  return `${table(facts)}${readingText(result)}\nNorms by part:\n${table(parts)}`;
}
