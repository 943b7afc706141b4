import { expect, test } from "vitest";
import { evaluate } from "../../test/ops/reference.ts";
import { grad } from "./grad.ts";
import { input, type Node, scalar, topological } from "./node.ts";
import { add, expand, gemm, linear, matmul, mul, reduceSum, reshape, scale, silu, transpose } from "./ops/index.ts";
import { simplify } from "./simplify.ts";

const opsOf = (node: Node) => topological([node]).map(({ op }) => op);
const count = (node: Node, op: string) => opsOf(node).filter((other) => other === op).length;
const numbers = (n: number) => Array.from({ length: n }, (_, i) => Math.sin(i + 1));

/** Same values before and after. */
function unchanged(node: Node, feeds: Record<string, number[]>): Node {
  const [simple] = simplify([node]);
  const [before] = evaluate([node], feeds);
  const [after] = evaluate([simple], feeds);
  expect(simple.shape).toEqual(node.shape);
  for (const [i, v] of before.entries()) expect(after[i]).toBeCloseTo(v, 10);
  return simple;
}

const x = input("x", [2, 3]);
const feeds = { x: numbers(6) };

test("equal nodes become one", () => {
  const simple = unchanged(add(mul(x, x), mul(x, x)), feeds);
  expect(count(simple, "Mul")).toBe(1);
});

test("reshapes and transposes that undo each other vanish", () => {
  expect(unchanged(transpose(transpose(x, [1, 0]), [1, 0]), feeds)).toBe(x);
  expect(unchanged(reshape(reshape(x, [6]), [2, 3]), feeds)).toBe(x);
});

test("x * 1 is x, x + 0 is x, scales multiply", () => {
  expect(unchanged(mul(x, scalar(1)), feeds)).toBe(x);
  const simple = unchanged(scale(scale(x, 3), 4), feeds);
  expect(count(simple, "Mul")).toBe(1);
});

test("QuickGELU's two scales vanish into the linear maps around it", () => {
  const [w1, w2] = [input("w1", [5, 3]), input("w2", [4, 5])];
  const hidden = scale(silu(scale(linear(x, w1), 1.702)), 1 / 1.702);
  const simple = unchanged(linear(hidden, w2), { ...feeds, w1: numbers(15), w2: numbers(20) });
  expect(opsOf(simple).sort()).toEqual(["Gemm", "Gemm", "Input", "Input", "Input", "Mul", "Sigmoid"]);
});

test("they vanish through reshapes too, and through those of the gradient", () => {
  const [x3, w1, w2] = [input("x3", [2, 1, 3]), input("w1", [5, 3]), input("w2", [4, 5])];
  const dense = (y: Node, w: Node) => reshape(linear(reshape(y, [2, w.shape[1]]), w), [2, 1, w.shape[0]]);
  const y = dense(scale(silu(scale(dense(x3, w1), 1.702)), 1 / 1.702), w2);
  const values = { x3: numbers(6), w1: numbers(15), w2: numbers(20) };
  const forward = unchanged(y, values);
  expect(count(forward, "Mul")).toBe(1);
  const gradients = grad(reduceSum(mul(y, y)), [w1, w2]);
  const simple = simplify(gradients);
  evaluate(gradients, values).forEach((want, i) => {
    const [got] = evaluate([simple[i]], values);
    for (const [j, v] of want.entries()) expect(got[j]).toBeCloseTo(v, 10);
  });
  const scalars = topological(simple).filter(({ op, shape }) => op === "Constant" && shape.length === 0);
  expect(scalars.map(({ value }) => value?.[0])).not.toContain(Math.fround(1.702));
});

test("a Gemm that others read too keeps its own scale", () => {
  const w = input("w", [5, 3]);
  const y = linear(x, w);
  const simple = unchanged(add(y, scale(y, 2)), { ...feeds, w: numbers(15) });
  expect(count(simple, "Gemm")).toBe(1);
});

test("MatMul reads transposed operands in place", () => {
  const [q, k] = [input("q", [3, 2, 4]), input("k", [3, 2, 4])];
  const product = matmul(transpose(q, [1, 0, 2]), transpose(k, [1, 0, 2]), { transB: true });
  const simple = unchanged(product, { q: numbers(24), k: numbers(24) });
  expect(count(simple, "Transpose")).toBe(0);
});

test("a long sum of products becomes a product of rows, a short one stays", () => {
  const dot = (width: number) => {
    const [a, b] = [input("a", [2, width]), input("b", [2, width])];
    return unchanged(reduceSum(mul(a, b), [-1], true), { a: numbers(2 * width), b: numbers(2 * width) });
  };
  expect(count(dot(256), "MatMul")).toBe(1);
  expect(count(dot(255), "MatMul")).toBe(0);
});

test("sums over leading axes become a product with ones", () => {
  const simple = unchanged(reduceSum(input("y", [2, 3, 4]), [0, 1]), { y: numbers(24) });
  expect(count(simple, "Gemm")).toBe(1);
});

test("copies made by expand are left to broadcasting", () => {
  const simple = unchanged(mul(expand(input("row", [1, 3]), [2, 3]), x), { ...feeds, row: numbers(3) });
  expect(count(simple, "Expand")).toBe(0);
});

test("a rewritten gradient is the gradient", () => {
  const w = input("w", [5, 3]);
  const loss = reduceSum(mul(silu(gemm(x, w, { transB: true })), silu(linear(x, w))));
  const [plain] = evaluate(grad(loss, [w]), { ...feeds, w: numbers(15) });
  const [simple] = evaluate(simplify(grad(loss, [w])), { ...feeds, w: numbers(15) });
  for (const [i, v] of plain.entries()) expect(simple[i]).toBeCloseTo(v, 10);
});
