/**
 * A contrastive step of a ViT-B/32 with both towers, 64 pairs with captions of 8 to 20 tokens, against PyTorch (transformers' own model), which
 * pads to 77 tokens; and like for like, at the longest caption's length. Interleaved rounds, ROUNDS of them (5). Run: npm run bench:contrastive. Needs Python with
 * torch and transformers (TBAR_PYTHON). SIZE=small tries it on a small model and keeps no figures.
 */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { configFromHf } from "../src/checkpoint/config/hf-config.ts";
import { clipPreprocess } from "../src/checkpoint/config/preprocess.ts";
import { initialWeights } from "../src/clip/parameters.ts";
import { tokenBatch } from "../src/clip/tokens.ts";
import { widened } from "../src/clip/widened.ts";
import { gradientsOf } from "../src/engine/gradients.ts";
import { type CaptionBatch, clampLogitScale, contrastive } from "../src/engine/objectives.ts";
import { adamw } from "../src/optim/adamw.ts";
import { clipFactor } from "../src/optim/schedule.ts";
import { createRuntime } from "../src/runtime/compile.ts";
import { onnxRuntime } from "../src/runtime/onnxruntime.ts";
import { random } from "../src/tensor/random.ts";
import { tensor } from "../src/tensor/tensor.ts";
import { peer } from "./peer.ts";
import { atMost, exact, median, python, type Row, rated, referenceTime, writeResults } from "./results.ts";

const threads = 2;
const batch = 64;
const rounds = Number(process.env.ROUNDS ?? 5);
const isSmall = process.env.SIZE === "small";
if (isSmall) process.env.TBAR_RESULTS = mkdtempSync(join(tmpdir(), "tbar-bench-"));

const [bos, eos] = [49406, 49407];
const tower = isSmall ? { hidden_size: 64, num_hidden_layers: 2, num_attention_heads: 2, intermediate_size: 256 } : {};
const hf = {
  model_type: "clip",
  projection_dim: isSmall ? 64 : 512,
  text_config: { ...tower, bos_token_id: bos, eos_token_id: eos },
  vision_config: { ...tower, patch_size: 32 },
};
const config = configFromHf(hf);
const weights = widened(initialWeights(config, 1));
const rng = random(1, "bench contrastive");
const pixels = tensor([batch, 3, 224, 224]);
rng.fillUniform(pixels.data);
// 8 to 20 tokens, start and end among them
const captions = Array.from({ length: batch }, (_, i) => {
  const words = i === 0 ? 18 : 6 + rng.int(13);
  return [bos, ...Array.from({ length: words }, () => 1000 + rng.int(39000)), eos];
});
const pairs: CaptionBatch = { pixels, text: tokenBatch(captions, config.text) };

const runtime = createRuntime(await onnxRuntime({ threads }));
const gradients = gradientsOf(runtime, contrastive(config, clipPreprocess(224)), weights, "training");
const optimizer = adamw({ weightDecay: 0.1 });
const state = optimizer.init(weights);
async function step(): Promise<void> {
  const { of, norm } = await gradients(weights, pairs);
  optimizer.update(weights, of, state, 1e-6, clipFactor(norm, 1));
  clampLogitScale(weights);
}

const pytorch = await peer(python, ["bench/peers/contrastive.py", String(threads), JSON.stringify(hf), JSON.stringify(captions)]); // biome-ignore format: one line

const timed = async (work: () => Promise<unknown>) => {
  const start = performance.now();
  await work();
  return performance.now() - start;
};
await step();
for (const what of ["padded", "longest"]) await pytorch.ask(what);
const ours: number[] = [];
const theirs = { padded: [] as number[], longest: [] as number[] };
for (let round = 0; round < rounds; round++) {
  ours.push(await timed(step));
  for (const what of ["padded", "longest"] as const) theirs[what].push(await pytorch.ask(what));
  const said = [ours, theirs.padded, theirs.longest].map((all) => `${all[round].toFixed(0)} ms`);
  console.error(
    `${round + 1}/${rounds}: ${said[0]}, PyTorch at 77 tokens ${said[1]}, at ${captions[0].length} ${said[2]}`,
  );
}
const peak = (process.resourceUsage().maxRSS * 1024) / 1e9; // kilobytes on every system; PyTorch is a process of its own
const theirPeak = (await pytorch.ask("memory")) / 1e3;
pytorch.stop();
await runtime.release();

const title = `contrastive step, both towers, ${batch} pairs with captions of 8-20 tokens`;
const ratio = (other: readonly number[]) => median(ours.map((ms, i) => ms / other[i]));
const rows: Row[] = [
  rated(`${title}: time / PyTorch's at 77 tokens`, ratio(theirs.padded), atMost(0.8)),
  rated(`${title}: time / PyTorch's at the longest caption's length`, ratio(theirs.longest)),
  rated(`${title}: ms`, median(ours)),
  rated(`${title}: ms, PyTorch ${pytorch.version} at 77 tokens`, median(theirs.padded)),
  rated(`${title}: ms, PyTorch ${pytorch.version} at the longest caption's length`, median(theirs.longest)),
  exact(`${title}: peak memory, GB`, peak, atMost(8)),
  exact(`${title}: peak memory of PyTorch's process, GB`, theirPeak),
];
const notes = isSmall ? ["a small model: a trial of the command"] : [];
writeResults("contrastive", { command: "npm run bench:contrastive", seeds: [1], rows, notes, reference: referenceTime() }); // biome-ignore format: one line
process.exit(0);
