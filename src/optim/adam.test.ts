import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { assemble } from "../../scripts/assemble.ts";
import { random } from "../tensor/random.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { adam, adamw } from "./adam.ts";
import { adamWasm } from "./adam-wasm.ts";

test("adam-wasm.ts is adam.wat assembled (npm run wasm)", async () => {
  expect(adamWasm).toBe(await assemble(readFileSync("src/optim/adam.wat", "utf8")));
});

/** The formulas value by value, in doubles between float32 values. */
function step(p: number, m: number, v: number, g: number, t: number, decay: number, decoupled: boolean): number[] {
  const [lr, clip, b1, b2, eps] = [0.01, 0.7, 0.9, 0.999, 1e-8];
  const gi = g * clip + (decoupled ? 0 : decay) * p;
  const mi = b1 * m + (1 - b1) * gi;
  const vi = b2 * v + (1 - b2) * gi * gi;
  const keep = decoupled ? 1 - lr * decay : 1;
  const root = 1 / Math.sqrt(1 - b2 ** t);
  return [keep * p - ((lr / (1 - b1 ** t)) * mi) / (Math.sqrt(vi) * root + eps), mi, vi].map(Math.fround);
}

const drawn = (seed: number, length: number): Tensor => {
  const values = tensor([length]);
  random(seed).fillNormal(values.data);
  return values;
};

// 4,096 values pass at a time, two by two
test.each([1, 2, 7, 4095, 4096, 4097, 8195])("%i values: the same bits as one by one", (length) => {
  for (const [optimizer, decoupled] of [
    [adamw({ weightDecay: 0.2 }), true],
    [adam({ weightDecay: 0.2 }), false],
  ] as const) {
    const weights = new Map([["w", drawn(1, length)]]);
    const state = optimizer.init(weights);
    let want = Array.from(drawn(1, length).data, (p) => [p, 0, 0]);
    for (const t of [1, 2, 3]) {
      const g = drawn(1 + t, length);
      optimizer.update(weights, new Map([["w", g]]), state, 0.01, 0.7);
      want = want.map(([p, m, v], i) => step(p, m, v, g.data[i], t, 0.2, decoupled));
    }
    const { m, v } = state.moments;
    for (const [k, found] of [weights, m, v].entries())
      expect([...(found.get("w") as Tensor).data]).toEqual(want.map((values) => values[k]));
  }
});
