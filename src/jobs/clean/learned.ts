/** A forget set that was learned elsewhere: by another fine-tuning of the model, or by the model of another task. */
import { add, taskVector } from "../../arithmetic/task-vector.ts";
import { readCheckpoint } from "../../checkpoint/clip-folder.ts";
import { isVision } from "../../clip/parameters.ts";
import type { LoadedClip } from "../../engine/clip.ts";
import { isLogit } from "../../engine/objectives.ts";
import { badInput } from "../../tensor/error.ts";
import type { Weights } from "../../tensor/tensor.ts";
import { modelPath } from "../inputs/names.ts";
import type { CleanSpec } from "./spec.ts";

/**
 * theta_b + (learned - where it was learned from), of the image tower alone, or of both where the cleaning is by contrast: what
 * fine-tuning theta_b on the forget set would have given; undefined where none is told. Throws `bad-input` on models of other shapes, and where the two are the same.
 */
export async function learnedWeights(clip: LoadedClip, spec: CleanSpec): Promise<Weights | undefined> {
  const { learned, learnedFrom } = spec;
  if (learned === undefined) {
    if (learnedFrom === undefined) return undefined;
    throw badInput(`--learned-from ${learnedFrom}: and what has learned the forget set? name it with --learned`);
  }
  const open = async (path: string) => (await readCheckpoint(modelPath(path), spec)).weights();
  const from = learnedFrom === undefined ? clip.weights : await open(learnedFrom);
  const all = taskVector(from, await open(learned));
  const { objective, train } = spec.recipe;
  const isTrained = (name: string) =>
    objective === "contrastive" && train !== "image" ? !isLogit(name) : isVision(name);
  const tau = new Map([...all].filter(([name]) => isTrained(name)));
  if (tau.size === 0)
    throw badInput(
      `${learned} has the weights of ${learnedFrom ?? spec.model}: it has learned nothing that could be subtracted`,
    );
  return add(clip.weights, tau, 1);
}
