/**
 * The product that a ViT-B/32's step is mostly made of, by ONNX Runtime and by libraries that another executor could rest on: PyTorch's oneDNN, MKL,
 * OpenBLAS and ggml, as far as they are there, in interleaved rounds of six programs each, of which the first does not count: eight products of
 * one matrix with others. Run: npm run bench:products. Needs Python with torch (TBAR_PYTHON), and for the others
 * pip's mkl and scipy-openblas32, and TBAR_GGML, the folder with libggml-base.so.
 */
import { setTimeout } from "node:timers/promises";
import { input } from "../src/graph/node.ts";
import { gemm } from "../src/graph/ops/index.ts";
import { createRuntime } from "../src/runtime/compile.ts";
import { onnxRuntime } from "../src/runtime/onnxruntime.ts";
import { random } from "../src/tensor/random.ts";
import { tensor } from "../src/tensor/tensor.ts";
import { peer } from "./peer.ts";
import { median, python, type Row, rated, referenceTime, writeResults } from "./results.ts";

const threads = 2;
const rounds = Number(process.env.ROUNDS ?? 9);
/** Milliseconds between two libraries: idle threads of both keep the processor busy for some hundred. */
const pause = 500;
const [M, K, N] = [1600, 768, 3072]; // rows of 32 images, width, hidden
const several = 8;
const gigaflop = (several * 2 * M * K * N) / 1e9;

const kinds = {
  none: { title: "neither operand transposed", a: [M, K], b: [K, N] },
  a: { title: "the first transposed", a: [K, M], b: [K, N] },
  b: { title: "the second transposed", a: [M, K], b: [N, K] },
} as const;
const runtime = createRuntime(await onnxRuntime({ threads }));
const rng = random(1, "products");
const libraries = { torch: "PyTorch (oneDNN)", mkl: "MKL", openblas: "OpenBLAS", ggml: "ggml" } as const;
const others = await peer(python, ["bench/peers/products.py", String(threads), ...([process.env.TBAR_GGML].filter(Boolean) as string[])]); // biome-ignore format: one line

const rows: Row[] = [];
for (const [kind, { title, a, b }] of Object.entries(kinds)) {
  const each = Array.from({ length: several }, (_, i) => i);
  const feeds = { a: tensor(a), ...Object.fromEntries(each.map((i) => [`b${i}`, tensor(b)])) };
  for (const { data } of Object.values(feeds)) rng.fillNormal(data, 0, 1);
  const times = (i: number) => gemm(input("a", a), input(`b${i}`, b), { transA: kind === "a", transB: kind === "b" });
  const program = await runtime.compile(Object.fromEntries(each.map((i) => [`product${i}`, times(i)])));
  const into = Object.fromEntries(each.map((i) => [`product${i}`, tensor([M, N])]));
  const ours = async () => {
    const start = performance.now();
    await program.run(feeds, into);
    return performance.now() - start;
  };
  const took: Record<string, number[]> = {};
  const all: [string, () => Promise<number>][] = [["ONNX Runtime", ours]];
  for (const [library, name] of Object.entries(libraries)) all.push([name, () => others.ask(`${library} ${kind}`)]);
  for (let round = 0; round < rounds; round++) {
    for (const [name, multiply] of all) {
      await setTimeout(pause); // until the threads of the one before no longer wait for work
      const block: number[] = [];
      for (let i = 0; i < 6; i++) block.push(await multiply());
      (took[name] ??= []).push(median(block.slice(1)).value);
    }
  }
  for (const [name, ms] of Object.entries(took))
    if (ms.every(Number.isFinite)) rows.push(rated(`${title}: GFLOP/s, ${name}`, median(ms.map((one) => (1000 * gigaflop) / one)))); // biome-ignore format: one line
}
others.stop();
await runtime.release();
writeResults("products", { command: "npm run bench:products", seeds: [1], rows, reference: referenceTime() });
process.exit(0);
