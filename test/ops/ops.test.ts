/** The op table tests itself: for each op and each of its samples, value and gradient, once more differentiated. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { grad } from "../../src/graph/grad.ts";
import { input, type Node } from "../../src/graph/node.ts";
import { makeNode, opTable } from "../../src/graph/op.ts";
import { mul, reduceSum } from "../../src/graph/ops/index.ts";
import { createRuntime, type Runtime } from "../../src/runtime/compile.ts";
import { onnxRuntime } from "../../src/runtime/onnxruntime.ts";
import { random } from "../../src/tensor/random.ts";
import { evaluate } from "./reference.ts";

let runtime: Runtime;
beforeAll(async () => {
  runtime = createRuntime(await onnxRuntime({ threads: 1 }));
});
afterAll(() => runtime.release());

const constantFunctions = new Set(["Sign"]);

for (const [op, { check }] of opTable()) {
  describe(op, () => {
    test("has samples", () => expect(check.length).toBeGreaterThan(0));
    check.forEach((sample, n) => {
      const [low, high] = sample.range ?? [-1, 1];
      const rng = random(n, op);
      const x = sample.shapes.map((shape, i) => input(`x${i}`, shape, i in (sample.indices ?? {}) ? "int" : "float32"));
      const feeds = Object.fromEntries(
        x.map(({ shape }, i) => {
          const count = shape.reduce((a, b) => a * b, 1);
          const bound = sample.indices?.[i];
          const draw = () => (bound === undefined ? low + (high - low) * rng.uniform() : rng.int(bound));
          return [`x${i}`, Array.from({ length: count }, draw).map(Math.fround)];
        }),
      );
      const floats = x.filter((node) => node.dtype === "float32");
      const y = makeNode(op, x, sample.attrs ?? {});
      const title = `${sample.shapes.map((s) => `[${s}]`).join(" ")} ${JSON.stringify(sample.attrs ?? {})}`;

      test(`ONNX Runtime computes ${title}`, async () => {
        expectClose(await run({ y }, x, feeds), evaluate([y], feeds));
      });

      // d<c, f(x)> along a random direction v equals <grad, v>; central differences in float64
      const c = input("c", y.shape);
      const fed = { ...feeds, c: y.shape.length === 0 ? [0.7] : values(rng, y.shape) };
      const directions = floats.map(({ shape }) => values(rng, shape));
      const loss = reduceSum(mul(y, c));
      const gradients = grad(loss, floats);

      test(`gradient of ${title}`, async () => {
        expectDirectional(loss, gradients, floats, directions, fed);
        const named = Object.fromEntries(gradients.map((g, i) => [`g${i}`, g]));
        expectClose(await run(named, [...x, c], fed), evaluate(gradients, fed));
      });

      if (constantFunctions.has(op)) return;
      test(`gradient of the gradient of ${title}`, () => {
        // a smooth function of all first gradients
        const second = gradients.map((g) => reduceSum(mul(g, g))).reduce((a, b) => makeNode("Add", [a, b], {}));
        expectDirectional(second, grad(second, floats), floats, directions, fed);
      });
    });
  });
}

function values(rng: ReturnType<typeof random>, shape: readonly number[]): number[] {
  return Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => Math.fround(2 * rng.uniform() - 1));
}

async function run(outputs: Record<string, Node>, inputs: readonly Node[], feeds: Record<string, number[]>) {
  const program = await runtime.compile(outputs);
  const tensors = Object.fromEntries(
    inputs.map(({ attrs, shape, dtype }) => {
      const name = attrs.name as string;
      const data = dtype === "int" ? Int32Array.from(feeds[name]) : Float32Array.from(feeds[name]);
      return [name, { shape, data } as { shape: number[]; data: Float32Array }];
    }),
  );
  const results = await program.run(tensors);
  return Object.keys(outputs).map((name) => results[name].data);
}

/** Float32 against float64: 1e-5 of the largest value (sums of a few dozen terms of order 1). */
function expectClose(got: readonly Float32Array[], expected: readonly Float64Array[]) {
  expected.forEach((want, i) => {
    expect(got[i].length).toBe(want.length);
    const scale = Math.max(1e-3, ...want.map(Math.abs));
    const worst = Math.max(...want.map((v, j) => Math.abs(v - got[i][j])));
    expect(worst / scale).toBeLessThan(1e-5);
  });
}

/** Central difference with step h has an error of order h^2 = 1e-10 times a third derivative. */
function expectDirectional(
  f: Node,
  gradients: readonly Node[],
  inputs: readonly Node[],
  directions: readonly number[][],
  feeds: Record<string, number[]>,
) {
  const h = 1e-5;
  const shifted = (sign: number) => {
    const moved = inputs.map((x, i) => {
      const name = x.attrs.name as string;
      return [name, feeds[name].map((v, j) => v + sign * h * directions[i][j])];
    });
    return evaluate([f], { ...feeds, ...Object.fromEntries(moved) })[0][0];
  };
  const numeric = (shifted(1) - shifted(-1)) / (2 * h);
  const analytic = evaluate(gradients, feeds).reduce(
    (sum, g, i) => sum + g.reduce((s, v, j) => s + v * directions[i][j], 0),
    0,
  );
  expect(analytic).toBeCloseTo(numeric, 6);
}
