/** TBAR with an anchored forget set (ours): a quarter as many clean images keep the vector from unlearning the task itself. */

import type { Dataset } from "../data/dataset.ts";
import { concat, take } from "../data/split.ts";
import type { DefenseInput, Removal } from "./defense.ts";
import { tbar } from "./tbar.ts";

export async function anchored(input: DefenseInput): Promise<Removal> {
  return { ...(await tbar({ ...input, forget: input.anchored })), settings: { anchor: anchorShare } };
}

const anchorShare = 0.25;

/** The forget set with its anchor. */
export function anchoredSet(forget: Dataset, clean: Dataset): Dataset {
  return concat([forget, take(clean, Math.round(anchorShare * forget.size))]);
}
