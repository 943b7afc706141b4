/** The zero-shot heads of a job: the one that the model's text tower makes as it came, and the one that figures are measured with. */
import type { LoadedClip } from "../../engine/clip.ts";
import type { Recipe } from "../../engine/finetune.ts";
import { type HeadOf, liveHead } from "../../engine/live-head.ts";
import { zeroShotHead } from "../../engine/zero-shot.ts";
import type { Tensor } from "../../tensor/tensor.ts";

export interface Heads {
  /** [C, E]: what labels are learned under. */
  readonly frozen: Tensor;
  /** What CA and ASR are measured with: where the text tower learns, the live one. */
  readonly asked: Tensor | HeadOf;
}

/** What head a recipe calls for: where both towers learn, that of whatever weights are measured. */
export async function headsOf(
  { encoder, weights }: LoadedClip,
  words: { readonly classNames: readonly string[]; readonly templates: readonly string[] },
  { train }: Pick<Recipe, "train">,
  signal?: AbortSignal,
): Promise<Heads> {
  const frozen = await zeroShotHead(encoder, weights, words.classNames, words.templates, signal);
  const asked = train === "both" ? liveHead(encoder, words, { weights, head: frozen }, signal) : frozen;
  return { frozen, asked };
}
