/** What a dialect rewrites has the same values (here in doubles; test/gpu compares with the device), and is gone. */
import { expect, test } from "vitest";
import { evaluate } from "../../test/ops/reference.ts";
import { constant, input, type Node, topological } from "../graph/node.ts";
import { gemm, logSoftmax, matmul, sign } from "../graph/ops/index.ts";
import { random } from "../tensor/random.ts";
import { type Dialect, lowered, standardDialect, webgpuDialect } from "./dialect.ts";

const [a, b, c] = [input("a", [2, 3]), input("b", [4, 3]), input("c", [4])];
const [x, y] = [input("x", [5, 1, 3]), input("y", [5, 1, 3])];
const ones = constant(new Float32Array(2).fill(1), [1, 2]);
const twos = constant(new Float32Array(2).fill(2), [1, 2]);
const cases: readonly (readonly [string, Dialect, Node, gone: string | undefined])[] = [
  ["a product with a transposed second operand and a bias", webgpuDialect, gemm(a, b, { transB: true, alpha: 2 }, c), undefined],
  ["a product with a transposed first operand, as it is", webgpuDialect, gemm(a, input("d", [2, 4]), { transA: true }), undefined],
  ["a product with a row of ones", webgpuDialect, gemm(ones, a), "Gemm"],
  ["a product with a row of twos, as it is", webgpuDialect, gemm(twos, a), undefined],
  ["products of vectors", webgpuDialect, matmul(x, y, { transB: true, alpha: 3 }), "MatMul"],
  ["products of matrices", webgpuDialect, matmul(input("p", [2, 3, 4]), input("q", [2, 5, 4]), { transB: true }), undefined],
  ["products of matrices, in the standard's ops", standardDialect, matmul(x, y, { transB: true, alpha: 3 }), undefined],
  ["log softmax", webgpuDialect, logSoftmax(a), "LogSoftmax"],
  ["sign", webgpuDialect, sign(a), "Sign"],
]; // biome-ignore format: a line each

test.each(cases)("%s", (_, dialect, node, gone) => {
  const [found] = lowered([node], dialect);
  const feeds = Object.fromEntries(
    topological([node])
      .filter(({ op }) => op === "Input")
      .map(({ attrs, shape }) => {
        const values = new Float32Array(shape.reduce((n, d) => n * d, 1));
        random(1, attrs.name as string).fillUniform(values);
        return [attrs.name as string, [...values].map((v) => v - 0.5)];
      }),
  );
  const [[wanted], [values]] = [evaluate([node], feeds), evaluate([found], feeds)];
  expect(found.shape).toEqual(node.shape);
  for (const [i, value] of [...wanted].entries()) expect(values[i]).toBeCloseTo(value, 6);
  const ops = topological([found]);
  expect(ops.map(({ op }) => op)).not.toContain(gone);
  expect(ops.filter(({ op, attrs }) => op === "Gemm" && attrs.transB)).toEqual([]);
});
