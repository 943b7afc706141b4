/**
 * Images a second through a ViT-B/32 image tower whose weights do not change (batch 64, 2 threads, float32), against transformers
 * under inference_mode and transformers.js, in interleaved rounds. Run: npm run bench:throughput. Needs Python with torch,
 * transformers, onnx and onnxscript (TBAR_PYTHON), and npm ci --ignore-scripts --prefix bench/peers/transformers-js.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { configFromHf } from "../src/checkpoint/config/hf-config.ts";
import { clipPreprocess } from "../src/checkpoint/config/preprocess.ts";
import { initialWeights, isVision } from "../src/clip/parameters.ts";
import { createEncoder } from "../src/engine/encoder.ts";
import { createRuntime } from "../src/runtime/compile.ts";
import { onnxRuntime } from "../src/runtime/onnxruntime.ts";
import { random } from "../src/tensor/random.ts";
import { tensor } from "../src/tensor/tensor.ts";
import { peer } from "./peer.ts";
import { atLeast, type Bar, median, python, rated, writeResults } from "./results.ts";

const threads = 2;
const batch = 64;
const rounds = Number(process.env.ROUNDS ?? 11);

const config = configFromHf({ model_type: "clip", text_config: {}, vision_config: {} });
const weights = new Map([...initialWeights(config, 1)].filter(([name]) => isVision(name)));
const runtime = createRuntime(await onnxRuntime({ threads }));
const encoder = createEncoder(runtime, config, clipPreprocess(224), () => []);
await encoder.prepack(weights);
const pixels = tensor([batch, 3, 224, 224]);
random(1, "bench").fillUniform(pixels.data);
async function ours(): Promise<number> {
  const start = performance.now();
  await encoder.images(weights, pixels);
  return performance.now() - start;
}

const folder = mkdtempSync(join(process.env.TBAR_SCRATCH ?? tmpdir(), "tbar-throughput-"));
execFileSync(python, ["bench/peers/export_vision.py", join(folder, "model")], {
  stdio: ["ignore", "ignore", "inherit"],
});
const transformers = await peer(python, ["bench/peers/step.py", String(threads), String(batch)]);
const script = ["bench/peers/transformers-js/throughput.js", join(folder, "model"), String(threads), String(batch)];
const transformersJs = await peer(process.execPath, script);

const sides = {
  ours,
  transformers: () => transformers.ask("forward"),
  transformersJs: () => transformersJs.ask("forward"),
};
const times: Record<keyof typeof sides, number[]> = { ours: [], transformers: [], transformersJs: [] };
for (const run of Object.values(sides)) await run();
for (let round = 0; round < rounds; round++) {
  for (const [name, run] of Object.entries(sides)) times[name as keyof typeof sides].push(await run());
  const last = Object.entries(times).map(([name, ms]) => `${name} ${ms[round].toFixed(0)} ms`);
  console.error(`${round + 1}/${rounds}: ${last.join(", ")}`);
}
transformers.stop();
transformersJs.stop();
rmSync(folder, { recursive: true });

const speed = (what: string, ms: readonly number[]) => rated(what, median(ms.map((t) => (1000 * batch) / t)));
const ratio = (what: string, ms: readonly number[], bar: Bar) =>
  rated(what, median(times.ours.map((t, i) => ms[i] / t)), bar);
const title = "ViT-B/32 image tower, weights fixed, batch 64";
writeResults("throughput", {
  command: "npm run bench:throughput",
  seeds: [1],
  rows: [
    ratio(`${title}: throughput / transformers'`, times.transformers, atLeast(1)),
    ratio(`${title}: throughput / transformers.js's`, times.transformersJs, atLeast(1.05)),
    speed(`${title}: images a second`, times.ours),
    speed(`${title}: images a second, transformers on PyTorch ${transformers.version}`, times.transformers),
    speed(`${title}: images a second, transformers.js ${transformersJs.version}`, times.transformersJs),
  ],
});
process.exit(0);
