/** Adam (Kingma and Ba, arXiv 1412.6980) and AdamW (Loshchilov and Hutter, arXiv 1711.05101), as PyTorch computes them. */
import { wasmExports } from "../tensor/wasm.ts";
import { adamWasm } from "./adam-wasm.ts";
import { type DecayRule, decayAll, type Optimizer, pick, zeros } from "./optimizer.ts";

export interface AdamOptions {
  readonly betas?: readonly [number, number];
  readonly eps?: number;
  readonly weightDecay?: number;
  readonly decays?: DecayRule;
}

/** AdamW: the decay shrinks the weights beside the Adam step, p <- p - lr wd p - lr m^ / (sqrt(v^) + eps). */
export function adamw({ weightDecay = 0.01, ...options }: AdamOptions = {}): Optimizer {
  return adamLike({ weightDecay, decoupled: true, ...options });
}

/** Adam: the decay is part of the gradient, g <- g + wd p. */
export function adam({ weightDecay = 0, ...options }: AdamOptions = {}): Optimizer {
  return adamLike({ weightDecay, decoupled: false, ...options });
}

interface AdamLike extends AdamOptions {
  readonly weightDecay: number;
  readonly decoupled: boolean;
}

function adamLike({
  betas = [0.9, 0.999],
  eps = 1e-8,
  weightDecay,
  decoupled,
  decays = decayAll,
}: AdamLike): Optimizer {
  const [b1, b2] = betas;
  return {
    init: (weights) => ({ step: 0, moments: { m: zeros(weights), v: zeros(weights) } }),
    update(weights, gradients, state, lr, clip = 1) {
      state.step++;
      const step = lr / (1 - b1 ** state.step); // m^ = m / (1 - b1^t)
      const root = 1 / Math.sqrt(1 - b2 ** state.step); // sqrt(v^) = sqrt(v) root
      for (const [name, gradient] of gradients) {
        const { data: p, shape } = pick(weights, name);
        const { data: m } = pick(state.moments.m, name);
        const { data: v } = pick(state.moments.v, name);
        const { data: g } = gradient;
        const decay = decays(name, shape) ? weightDecay : 0;
        const keep = decoupled ? 1 - lr * decay : 1;
        const inGradient = decoupled ? 0 : decay;
        // gi = clip g + inGradient p; m = b1 m + (1 - b1) gi; v = b2 v + (1 - b2) gi^2; p = keep p - step m / (sqrt(v) root + eps)
        inPieces([p, m, v, g], (at, count) =>
          loop.step(...at, count, clip, inGradient, b1, 1 - b1, b2, 1 - b2, keep, step, root, eps),
        );
      }
    },
  };
}

interface Loop {
  readonly memory: { readonly buffer: ArrayBuffer };
  step(...parameters: number[]): void;
}

/** adam.wat: a fifth to a quarter less time than the same loop in JavaScript. */
const loop = wasmExports<Loop>(adamWasm);
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
