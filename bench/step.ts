/**
 * One training step of a ViT-B/32 image tower, its forward, and a text tower at the length its captions need, against PyTorch
 * (transformers' own models) in interleaved rounds. Run: npm run bench:step. Needs Python with torch and transformers
 * (TBAR_PYTHON); the figures say which machine.
 */
import { configFromHf } from "../src/checkpoint/config/hf-config.ts";
import { clipPreprocess } from "../src/checkpoint/config/preprocess.ts";
import { unit } from "../src/clip/loss.ts";
import { initialWeights } from "../src/clip/parameters.ts";
import { tokenBatch } from "../src/clip/tokens.ts";
import { textTower } from "../src/clip/towers.ts";
import { widened } from "../src/clip/widened.ts";
import { createEncoder } from "../src/engine/encoder.ts";
import { type Gradients, gradientsOf } from "../src/engine/gradients.ts";
import { classification, type LabelBatch } from "../src/engine/objectives.ts";
import { reduceSum } from "../src/graph/ops/index.ts";
import { adamw } from "../src/optim/adamw.ts";
import { clipFactor } from "../src/optim/schedule.ts";
import { createRuntime } from "../src/runtime/compile.ts";
import { onnxRuntime } from "../src/runtime/onnxruntime.ts";
import { random } from "../src/tensor/random.ts";
import { tensor, type Weights } from "../src/tensor/tensor.ts";
import { peer } from "./peer.ts";
import { atMost, median, python, type Row, rated, referenceTime, writeResults } from "./results.ts";

const threads = 2;
const batch = 32;
const rounds = Number(process.env.ROUNDS ?? 9);

const text_config = { eos_token_id: 49407, bos_token_id: 49406 };
const config = configFromHf({ model_type: "clip", text_config, vision_config: {} });
const weights = initialWeights(config, 1);
const runtime = createRuntime(await onnxRuntime({ threads }));
const preprocess = clipPreprocess(224);
const encoder = createEncoder(runtime, config, preprocess, () => []);
const rng = random(1, "bench");
const pixels = tensor([batch, 3, 224, 224]);
rng.fillUniform(pixels.data);
const head = tensor([397, 512]);
rng.fillNormal(head.data, 0, 10);
const labels = Int32Array.from({ length: batch }, (_, i) => i % 397);

const vision: Weights = widened(new Map([...weights].filter(([name]) => /^vis/.test(name)))); // as `finetune` does
const gradients = gradientsOf<LabelBatch>(runtime, classification(config, preprocess, head), vision);
const optimizer = adamw({ weightDecay: 0.1 });
const state = optimizer.init(vision);
async function step(): Promise<void> {
  const { of, norm }: Gradients = await gradients(vision, { pixels, labels });
  optimizer.update(vision, of, state, 1e-5, clipFactor(norm, 1));
}

// 128 captions of 8 to 20 tokens, start and end among them
const captions = Array.from({ length: 128 }, () => {
  const words = Array.from({ length: 6 + rng.int(13) }, () => 1000 + rng.int(39000));
  return [49406, ...words, 49407];
});
const text = tokenBatch(captions, config.text);
const texts: Weights = new Map([...weights].filter(([name]) => /^text/.test(name)));
const textGradients = gradientsOf<typeof text>(
  runtime,
  {
    trains: (name) => name.startsWith("text"),
    feeds: (of) => ({ ...of }),
    loss: (p, { tokens, ends, endRows }) => reduceSum(unit(textTower(config, p, { tokens, ends, endRows }))),
  },
  texts,
);

const ours = { forward: () => encoder.images(weights, pixels), step, text: () => textGradients(texts, text) };

const pytorch = await peer(python, ["bench/peers/step.py", String(threads), String(batch)]);

const bars = { forward: 1.05, step: 0.8, text: 0.4 } as const;
const titles = {
  forward: "image forward, batch 32",
  step: "image step (forward, gradients, clipping, AdamW), batch 32",
  text: "text forward and gradients, 128 captions of 8-20 tokens against 77",
} as const;
const rows: Row[] = [];
for (const what of ["forward", "step", "text"] as const) {
  await ours[what]();
  await pytorch.ask(what);
  const mine: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    await ours[what]();
    mine.push(performance.now() - start);
    theirs.push(await pytorch.ask(what));
    const [ms, other] = [mine, theirs].map((all) => `${all[round].toFixed(0)} ms`);
    console.error(`${what} ${round + 1}/${rounds}: ${ms}, PyTorch ${other}`);
  }
  rows.push(
    rated(`${titles[what]}: time / PyTorch's`, median(mine.map((ms, i) => ms / theirs[i])), atMost(bars[what])),
    rated(`${titles[what]}: ms`, median(mine)),
    rated(`${titles[what]}: ms, PyTorch ${pytorch.version}`, median(theirs)),
  );
}
pytorch.stop();
await runtime.release();
writeResults("step", { command: "npm run bench:step", seeds: [1], rows, reference: referenceTime() });
process.exit(0);
