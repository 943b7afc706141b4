/** A map of the weight disentanglement error, for eyes. */
import { duration, percent } from "../../report/numbers.ts";
import { errorText } from "../../report/xi/xi-report.ts";
import type { XiResult } from "../../results/xi.ts";
import { rateText, table, warningText } from "../text.ts";

/** A character for an error: nothing up to the limit, then darker. */
const shades = [
  [0.25, "."],
  [0.5, ":"],
  [1, "+"],
  [2, "#"],
] as const;

export function xiText(result: XiResult): string {
  const { region, vectors, images, alphas, xi, warnings, seconds, target, trigger } = result;
  const [low, high] = region.interval.map(plain);
  const places = [
    ["theta_0", result.origin],
    ["both added (1, 1)", result.together],
    ["trigger's subtracted (1, -1)", result.negated],
  ] as const;
  const rows = places.flatMap(([name, place]) =>
    place === undefined ? [] : [[name, errorText(place.value), rateText(place.ca), rateText(place.asr)]],
  );
  const map = [...alphas.keys()].reverse().map((t) => {
    const line = alphas.map((_, c) => shadeOf(xi[c][t], region.limit)).join(" ");
    return `  ${line}  ${String(alphas[t]).padStart(5)}\n`;
  });
  return [
    table([
      ["tau_c", vectors.clean.how, `norm ${vectors.clean.norm.toPrecision(3)}`],
      ["tau_t", `${vectors.trigger.how} (${trigger.kind} -> ${target})`, `norm ${vectors.trigger.norm.toPrecision(3)}`],
      ["cosine", vectors.cosine.toFixed(4), ""],
    ]),
    table([["", "xi", "clean accuracy", "attack success rate"], ...rows]),
    `Disentangled (xi <= ${region.limit}): ${plain(region.value)} of the plane (${low} to ${high}), ${region.points} of ${region.of} models, ` +
      `${images.clean} clean and ${images.triggered} triggered images; ${duration(seconds)}\n`,
    ...(alphas.length > 41
      ? []
      : [`alpha_t upwards, alpha_c to the right; o up to ${region.limit}, . 0.25, : 0.5, + 1, # more\n`, ...map]),
    warningText(warnings),
  ].join("");
}

const plain = (share: number) => percent(share).replaceAll("\u202f", " ");

const shadeOf = (xi: number, limit: number): string =>
  xi <= limit ? "o" : (shades.find(([most]) => xi <= most)?.[1] ?? "#");
