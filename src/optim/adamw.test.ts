import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { assemble } from "../../scripts/assemble.ts";
import { random } from "../tensor/random.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { adamw } from "./adamw.ts";
import { adamwWasm } from "./adamw-wasm.ts";

test("adamw-wasm.ts is adamw.wat assembled (npm run wasm)", async () => {
  expect(adamwWasm).toBe(await assemble(readFileSync("src/optim/adamw.wat", "utf8")));
});

const f = Math.fround;

/** The formulas value by value, each operation rounded to float32. */
function step(p: number, m: number, v: number, g: number, t: number): number[] {
  const [lr, clip, b1, b2, eps, decay] = [0.01, 0.7, 0.9, 0.999, 1e-8, 0.2];
  const gi = f(g * f(clip));
  const mi = f(f(f(b1) * m) + f(f(1 - b1) * gi));
  const vi = f(f(f(b2) * v) + f(f(f(1 - b2) * gi) * gi));
  const [keep, rate, root] = [1 - lr * decay, lr / (1 - b1 ** t), 1 / Math.sqrt(1 - b2 ** t)].map(f);
  const denominator = f(f(f(Math.sqrt(vi)) * root) + f(eps));
  return [f(f(keep * p) - f(f(rate * mi) / denominator)), mi, vi];
}

const drawn = (seed: number, length: number): Tensor => {
  const values = tensor([length]);
  random(seed).fillNormal(values.data);
  return values;
};

// 16,384 values pass at a time, four by four
test.each([1, 2, 3, 7, 16383, 16384, 16385, 32773])("%i values: the same bits as one by one", (length) => {
  const optimizer = adamw({ weightDecay: 0.2 });
  const weights = new Map([["w", drawn(1, length)]]);
  const state = optimizer.init(weights);
  let want = Array.from(drawn(1, length).data, (p) => [p, 0, 0]);
  for (const t of [1, 2, 3]) {
    const g = drawn(1 + t, length);
    optimizer.update(weights, new Map([["w", g]]), state, 0.01, 0.7);
    want = want.map(([p, m, v], i) => step(p, m, v, g.data[i], t));
  }
  const { m, v } = state.moments;
  for (const [k, found] of [weights, m, v].entries())
    expect([...(found.get("w") as Tensor).data]).toEqual(want.map((values) => values[k]));
});
