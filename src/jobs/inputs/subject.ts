/** What can be measured: a checkpoint, or a model in ONNX files, which nothing can change. */
import { basename } from "node:path";
import { architectureOf } from "../../checkpoint/config/config.ts";
import { type Clip, type LoadOptions, loadClip } from "../../engine/clip.ts";
import { findOnnx, loadOnnxClip } from "../../engine/onnx-clip.ts";
import type { CheckpointFacts } from "../../results/base.ts";
import type { OpenedModel } from "../../results/opened.ts";
import type { Weights } from "../../tensor/tensor.ts";
import { checkpointFacts } from "../record/facts.ts";
import { openedModel } from "./describe-opened.ts";

export interface Subject extends Clip {
  /** What the encoder is to be handed; empty where they are inside it. */
  readonly weights: Weights;
  readonly metadata: Readonly<Record<string, string>>;
  facts(): Promise<CheckpointFacts>;
  readonly opened: OpenedModel;
}

/** Throws `bad-input` when the path is neither, or something about it is wrong; `unavailable` when the device is missing. */
export async function loadSubject(path: string, options: LoadOptions): Promise<Subject> {
  const files = await findOnnx(path);
  if (files === undefined) {
    const clip = await loadClip(path, options);
    const { checkpoint } = clip;
    const opened = openedModel(checkpoint);
    return { ...clip, metadata: checkpoint.metadata, facts: () => checkpointFacts(checkpoint), opened };
  }
  const clip = await loadOnnxClip(files, options);
  const { metadata, ...facts } = clip.facts;
  const model = { path: basename(path), layout: "onnx", architecture: architectureOf(clip.config), ...facts };
  return { ...clip, weights: new Map(), metadata, facts: async () => model, opened: openedModel({ ...clip, path }) };
}
