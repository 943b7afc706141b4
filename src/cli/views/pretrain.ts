/** A pre-training, for eyes. */
import { duration } from "../../report/numbers.ts";
import type { PretrainResult } from "../../results/pretrain.ts";
import { rateText, table } from "../text.ts";

export function pretrainText({ ca, imagesPerSecond, seconds, output, parameters }: PretrainResult): string {
  const accuracy = ca === undefined ? "not measured: no classes" : `${rateText(ca)}, ${ca.n} held-out images`;
  return table([
    ["zero-shot accuracy", accuracy],
    ["parameters", parameters.toLocaleString("en-US")],
    ["training", `${duration(seconds)}, ${Math.round(imagesPerSecond)} images/s`],
    ["written", output.path],
  ]);
}
