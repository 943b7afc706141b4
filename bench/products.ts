/**
 * The product that a ViT-B/32's step is mostly made of, by ONNX Runtime and by libraries that another executor could rest on: PyTorch's oneDNN, MKL,
 * OpenBLAS and ggml, as far as they are there, in interleaved rounds. Run: npm run bench:products. Needs Python with torch (TBAR_PYTHON), and for the others
 * pip's mkl and scipy-openblas32, and TBAR_GGML, the folder with libggml-base.so.
 */
import { input } from "../src/graph/node.ts";
import { gemm } from "../src/graph/ops/index.ts";
import { createRuntime } from "../src/runtime/compile.ts";
import { onnxRuntime } from "../src/runtime/onnxruntime.ts";
import { random } from "../src/tensor/random.ts";
import { tensor } from "../src/tensor/tensor.ts";
import { peer } from "./peer.ts";
import { median, python, type Row, rated, referenceTime, writeResults } from "./results.ts";

const threads = 2;
const rounds = Number(process.env.ROUNDS ?? 25);
const [M, K, N] = [1600, 768, 3072]; // rows of 32 images, width, hidden
const gigaflop = (2 * M * K * N) / 1e9;

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
  const feeds = { a: tensor(a), b: tensor(b) };
  for (const { data } of Object.values(feeds)) rng.fillNormal(data, 0, 1);
  const product = gemm(input("a", a), input("b", b), { transA: kind === "a", transB: kind === "b" });
  const program = await runtime.compile({ product });
  const into = { product: tensor([M, N]) };
  const ours = async () => {
    const start = performance.now();
    await program.run(feeds, into);
    return performance.now() - start;
  };
  const took: Record<string, number[]> = {};
  for (let round = 0; round <= rounds; round++) {
    const all: [string, number][] = [["ONNX Runtime", await ours()]];
    for (const [library, name] of Object.entries(libraries)) all.push([name, await others.ask(`${library} ${kind}`)]);
    if (round === 0) continue;
    for (const [name, ms] of all) (took[name] ??= []).push(ms);
  }
  for (const [name, ms] of Object.entries(took))
    if (ms.every(Number.isFinite)) rows.push(rated(`${title}: GFLOP/s, ${name}`, median(ms.map((one) => (1000 * gigaflop) / one)))); // biome-ignore format: one line
}
others.stop();
await runtime.release();
writeResults("products", { command: "npm run bench:products", seeds: [1], rows, reference: referenceTime() });
process.exit(0);
