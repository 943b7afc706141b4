/** Tensors against the config: named and shaped as it asks, stored in a dtype we can keep, and finite. */

import { badInput, unknownName } from "../tensor/error.ts";
import { listed, printable } from "../tensor/printable.ts";
import { sameShape, type Tensor, type Weights } from "../tensor/tensor.ts";
import { type ClipConfig, parameterShapes } from "./config/config.ts";
import type { Dtype } from "./formats/safetensors-header.ts";
import type { TensorInfo } from "./formats/tensor-file.ts";
import { fileShape, type Part } from "./names/parts.ts";

const FLOAT_DTYPES: readonly Dtype[] = ["F32", "F16", "BF16"];

/**
 * The parameters of the config and those of the file are the same, each in the right shape and a float dtype.
 * Throws `bad-input` naming the first that is not.
 */
export function checkTensors(
  parts: readonly Part[],
  tensors: ReadonlyMap<string, TensorInfo>,
  config: ClipConfig,
  file: string,
): void {
  const expected = parameterShapes(config);
  const names = new Set(parts.flatMap((part) => part.ours));
  const more = parts.filter(({ ours }) => ours.some((name) => !expected.has(name)));
  const there = more.find((part) => tensors.has(part.file)) ?? more[0];
  if (there !== undefined)
    throw badInput(`${file} has more layers than its config: there is a ${printable(there.file)}`);
  const fewer = [...expected.keys()].find((name) => !names.has(name));
  if (fewer !== undefined) throw badInput(`${file} has fewer layers than its config: there is no ${fewer}`);
  const missing = parts.filter((part) => !tensors.has(part.file)).map((part) => part.file);
  if (missing.length > 0) {
    const shown = missing.slice(0, 6).map((name) => printable(name));
    throw badInput(`${file} lacks ${missing.length} tensors: ${listed(shown, 5)}`);
  }
  for (const part of parts) {
    const { shape, dtype } = tensors.get(part.file)!;
    const ours = part.ours.map((name) => expected.get(name)!);
    const wanted = fileShape(part, ours);
    if (!sameShape(shape, wanted))
      throw badInput(`${file}: tensor ${printable(part.file)} has shape [${shape}], its config asks for [${wanted}]`);
    if (!FLOAT_DTYPES.includes(dtype)) {
      throw badInput(
        `${file}: tensor ${printable(part.file)} is stored as ${dtype}; supported: ${FLOAT_DTYPES.join(", ")}`,
      );
    }
  }
}

/** Throws `bad-input` when one of the (possibly few) weights is none of the config's, of another shape, or not finite. */
export function checkWeights(weights: Weights, config: ClipConfig): void {
  const shapes = parameterShapes(config);
  for (const [name, value] of weights) {
    const shape = shapes.get(name);
    if (shape === undefined) throw unknownName("parameter", name, [...shapes.keys()]);
    if (!sameShape(shape, value.shape))
      throw badInput(`new weights: ${name} has shape [${value.shape}], the config asks for [${shape}]`);
    checkFinite(name, value, "new weights");
  }
}

/** A NaN or an infinity makes every result worthless, and hides in averages. `from`: the first value's place in its tensor. */
export function checkFinite(name: string, { data }: Pick<Tensor, "data">, where: string, from = 0): void {
  if (allFinite(data)) return;
  for (let i = 0; i < data.length; i++) {
    if (Number.isFinite(data[i])) continue;
    throw badInput(`${where}: tensor ${name} holds ${data[i]} (value ${from + i}); the weights are damaged`);
  }
}

/** A running variance of batch normalisation has a square root. */
export function checkVariance(name: string, { data }: Pick<Tensor, "data">, where: string): void {
  const negative = name.endsWith(".running_var") ? data.findIndex((v) => v < 0) : -1;
  if (negative < 0) return;
  throw badInput(`${where}: variance ${name} is ${data[negative]} (value ${negative}); the weights are damaged`);
}

/** 0 v is 0 for finite values alone. Four sums at a time: each waits for its own last addition only. */
export function allFinite(data: Float32Array): boolean {
  let [a, b, c, d] = [0, 0, 0, 0];
  const even = data.length - (data.length % 4);
  for (let i = 0; i < even; i += 4) {
    a += 0 * data[i];
    b += 0 * data[i + 1];
    c += 0 * data[i + 2];
    d += 0 * data[i + 3];
  }
  for (let i = even; i < data.length; i++) a += 0 * data[i];
  return a + b + c + d === 0;
}
