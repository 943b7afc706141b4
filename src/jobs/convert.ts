/** tbar convert: the same weights under the names that other programs look for. */

import { type ReadOptions, readCheckpoint } from "../checkpoint/clip-folder.ts";
import { architectureOf } from "../checkpoint/config/config.ts";
import { orderChange } from "../checkpoint/config/preprocess.ts";
import { convertCheckpoint } from "../checkpoint/names/convert.ts";
import type { KeyStyle } from "../checkpoint/names/key-styles.ts";
import { refuseExisting } from "../files/atomic.ts";
import { writeTogether } from "../files/output-set.ts";
import type { Reading } from "../results/result.ts";
import { openedModel } from "./inputs/describe-opened.ts";
import { type JobOptions, readingOf, silent } from "./record/facts.ts";

export interface ConvertOptions extends Partial<Pick<JobOptions, "progress" | "signal" | "set">>, ReadOptions {
  readonly to: KeyStyle;
  /** A folder, or a file where it ends in .safetensors. */
  readonly out: string;
  readonly force?: boolean;
}

export interface ConvertResult extends Reading {
  readonly kind: "convert";
  readonly model: string;
  readonly architecture: string;
  readonly to: KeyStyle;
  /** Tensors written. */
  readonly tensors: number;
  /** Tensors that hold no parameter and have no place under the new names. */
  readonly leftOut: readonly string[];
  /** How the other program reads images differently; absent where it does not. */
  readonly pixels?: string;
  readonly output: { readonly path: string; readonly sha256: string };
}

/** The checkpoint `model` with other keys; its values are the same bytes. Throws `bad-input` where there is no such form of it. */
export function convertModel(model: string, options: ConvertOptions): Promise<ConvertResult> {
  return writeTogether("convert", options, (options) => convertAndHash(model, options));
}

async function convertAndHash(model: string, options: ConvertOptions): Promise<ConvertResult> {
  const { to, out, progress = silent } = options;
  await refuseExisting(out, options);
  const checkpoint = await readCheckpoint(model, options);
  progress.stage("convert");
  progress.opened?.({ models: [openedModel(checkpoint)] });
  const converted = await convertCheckpoint(checkpoint, to, out, options);
  const written = await readCheckpoint(out);
  const sha256 = await written.sha256();
  const pixels = orderChange(checkpoint.preprocess.order, written.preprocess.order);
  const architecture = architectureOf(checkpoint.config);
  const output = { path: out, sha256 };
  return {
    kind: "convert",
    model,
    architecture,
    to,
    ...converted,
    ...readingOf(checkpoint),
    ...(pixels && { pixels }),
    output,
  };
}
