/** The metrics beside CA and ASR, by the names people type. */
import { unknownName } from "../tensor/error.ts";
import type { FurtherMetric } from "./further.ts";
import { retrieval, retrievals } from "./retrieval.ts";
import { successTopFive, successTopTen, topFive } from "./top-k.ts";

/** Every one, in the order of lists. A new one is a file and a word here. */
export const metrics: readonly FurtherMetric[] = [retrieval, ...retrievals, topFive, successTopFive, successTopTen];

/** The metrics of these names, each once; `all` for every one. Throws `bad-input` on a name that is none. */
export function metricsNamed(names: readonly string[]): readonly FurtherMetric[] {
  const known = metrics.map(({ name }) => name);
  const unknown = names.find((name) => name !== "all" && !known.includes(name));
  if (unknown !== undefined) throw unknownName("metric", unknown, known);
  return metrics.filter(({ name }) => names.includes("all") || names.includes(name));
}
