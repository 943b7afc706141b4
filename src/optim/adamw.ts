/** AdamW (Loshchilov and Hutter, arXiv 1711.05101), every operation in float32 as PyTorch's. */
import { wasmExports } from "../tensor/wasm.ts";
import { adamGraph } from "./adam-graph.ts";
import { type AdamOptions, noMoments, rates } from "./adam-rates.ts";
import { adamwWasm } from "./adamw-wasm.ts";
import { decayAll, type Optimizer, pick } from "./optimizer.ts";

/** The decay shrinks the weights beside Adam's step: p <- (1 - lr wd) p - lr m^ / (sqrt(v^) + eps). */
export function adamw({ weightDecay = 0.01, decays = decayAll, ...options }: AdamOptions = {}): Optimizer {
  return {
    graph: adamGraph({ ...options, weightDecay, decays }, "beside it"),
    init: noMoments,
    update(weights, gradients, state, lr, clip = 1) {
      const { b1, b2, step, root, eps } = rates(options, ++state.step, lr);
      for (const [name, { data: g }] of gradients) {
        const { data: p, shape } = pick(weights, name);
        const { data: m } = pick(state.moments.m, name);
        const { data: v } = pick(state.moments.v, name);
        const keep = decays(name, shape) ? 1 - lr * weightDecay : 1;
        inPieces([p, m, v, g], (at, count) =>
          loop.step(...at, count, clip, b1, 1 - b1, b2, 1 - b2, keep, step, root, eps),
        );
      }
    },
  };
}

interface Loop {
  readonly memory: { readonly buffer: ArrayBuffer };
  step(...parameters: number[]): void;
}

/** adamw.wat, four lanes wide: less than a loop in doubles takes, two lanes wide. */
const loop = wasmExports<Loop>(adamwWasm);
/** The loop's memory holds a piece of each array. */
const piece = loop.memory.buffer.byteLength / (4 * Float32Array.BYTES_PER_ELEMENT);
const room = [0, 1, 2, 3].map((k) => new Float32Array(loop.memory.buffer, 4 * k * piece, piece));

/** Passes four arrays of a length through the loop's memory, where `run` finds a piece of each; the first three come back changed. */
function inPieces(arrays: readonly Float32Array[], run: (at: readonly number[], count: number) => void): void {
  const at = room.map(({ byteOffset }) => byteOffset);
  const { length } = arrays[0];
  for (let from = 0; from < length; from += piece) {
    const count = Math.min(piece, length - from);
    for (const [k, array] of arrays.entries()) room[k].set(array.subarray(from, from + count));
    run(at, count);
    for (const [k, array] of arrays.slice(0, 3).entries()) array.set(room[k].subarray(0, count), from);
  }
}
