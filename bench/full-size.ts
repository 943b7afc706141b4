/** One full-size model of random weights, computed by its own Python library and by us: how far apart the results are. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Checkpoint, readCheckpoint } from "../src/checkpoint/clip-folder.ts";
import { openSafetensors, type SafetensorsFile } from "../src/checkpoint/formats/safetensors.ts";
import { takeApart } from "../src/checkpoint/names/parts.ts";
import { pairLogits, unit } from "../src/clip/loss.ts";
import { isVision, parameterInputs } from "../src/clip/parameters.ts";
import { tokenBatch } from "../src/clip/tokens.ts";
import { imageTower, textTower } from "../src/clip/towers.ts";
import { gradientsOf } from "../src/engine/gradients.ts";
import { classification } from "../src/engine/objectives.ts";
import { input } from "../src/graph/node.ts";
import { adamw } from "../src/optim/adamw.ts";
import { clipFactor } from "../src/optim/schedule.ts";
import { createRuntime, type Runtime } from "../src/runtime/compile.ts";
import { onnxRuntime } from "../src/runtime/onnxruntime.ts";
import type { Tensor, Weights } from "../src/tensor/tensor.ts";
import { python } from "./results.ts";

export const fullSizeModels = ["ViT-B-32", "ViT-B-16", "ViT-L-14", "RN50"] as const;
export type FullSizeModel = (typeof fullSizeModels)[number];

/** Distances are max |a - b| / max |b| unless told. */
export interface Agreement {
  /** The least over images and texts. */
  readonly cosine: number;
  readonly embeddings: number;
  readonly logits: number;
  /** Of the training step. */
  readonly loss: number;
  /** |a - b| / |b| over all values of the gradient. */
  readonly gradient: number;
  /** The same between the library's float32 and its own float64. */
  readonly rounding: number;
  /** Of the worst tensor after AdamW, whose first step goes by signs alone. */
  readonly after: number;
}

/** Weights are made by seed in a temporary folder and removed afterwards. Throws where Python or its libraries are missing. */
export async function compareFullSize(name: FullSizeModel, seed: number): Promise<Agreement> {
  const folder = mkdtempSync(join(process.env.TBAR_SCRATCH ?? tmpdir(), "tbar-full-size-"));
  const model = join(folder, "model");
  const batch = name === "ViT-L-14" ? "4" : "8";
  try {
    const script = ["scripts/golden/full_size.py", name, model, "--batch", batch, "--seed", String(seed)];
    execFileSync(python, script, { stdio: ["ignore", "ignore", "inherit"] });
    const checkpoint = await readCheckpoint(model);
    const expected = await openSafetensors(join(model, "expected.safetensors"));
    const runtime = createRuntime(await onnxRuntime({ threads: 2 }));
    const forward = await compareForward(runtime, checkpoint, expected);
    await runtime.release();
    const step = await compareStep(runtime, checkpoint, expected);
    await runtime.release();
    await expected.close();
    return { ...forward, ...step };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function compareForward(
  runtime: Runtime,
  { config, preprocess, weights }: Checkpoint,
  expected: SafetensorsFile,
) {
  const pixels = await expected.read("pixels");
  const { shape, data } = await expected.readInts("tokens");
  const rows = Array.from({ length: shape[0] }, (_, i) => data.subarray(i * shape[1], (i + 1) * shape[1]));
  const text = tokenBatch(rows, config.text);
  const p = parameterInputs(config);
  const images = imageTower(config, p, input("pixels", pixels.shape), preprocess);
  const texts = textTower(config, p, {
    tokens: input("tokens", text.tokens.shape, "int"),
    ends: input("ends", text.ends.shape, "int"),
    endRows: input("endRows", text.endRows.shape, "int"),
  });
  const program = await runtime.compile({
    image_embeds: unit(images),
    text_embeds: unit(texts),
    logits_per_image: pairLogits(config, p, images, texts),
  });
  const got = await program.run({ ...Object.fromEntries(await weights()), ...text, pixels });
  const pair = async (name: string) => [got[name], await expected.read(name)] as const;
  const logits = await pair("logits_per_image");
  const embeddings = [await pair("image_embeds"), await pair("text_embeds")];
  return {
    cosine: Math.min(...embeddings.map(([a, b]) => leastCosine(a, b))),
    embeddings: Math.max(...embeddings.map(([a, b]) => distance(a.data, b.data))),
    logits: distance(logits[0].data, logits[1].data),
  };
}

/** Cross-entropy under a frozen head, gradient clipped to norm 1, one step of AdamW. */
async function compareStep(runtime: Runtime, checkpoint: Checkpoint, expected: SafetensorsFile) {
  const { config, preprocess } = checkpoint;
  const weights = new Map([...(await checkpoint.weights())].filter(([name]) => isVision(name)));
  const objective = classification(config, preprocess, transposed(await expected.read("step.head"), 100));
  const batch = { pixels: await expected.read("pixels"), labels: (await expected.readInts("step.labels")).data };
  const optimizer = adamw({ weightDecay: 0.1 });
  const trained = new Map([...weights].filter(([name]) => objective.trains(name)));
  const state = optimizer.init(trained);
  const { of, loss, norm, statistics } = await gradientsOf(runtime, objective, weights, "training")(weights, batch);
  let [apart, whole] = [0, 0];
  for await (const [, got, want] of pairs(checkpoint, expected, "grad.", of)) {
    apart += squares(got.map((v, i) => v - want[i]));
    whole += squares(want);
  }
  optimizer.update(trained, of, state, 1e-5, clipFactor(norm, 1));
  let after = 0;
  for await (const [name, got, want] of pairs(checkpoint, expected, "after.", new Map([...trained, ...statistics]))) {
    // a key's bias has a gradient of zero but for rounding, and Adam divides it by itself
    if (!name.endsWith("k_proj.bias")) after = Math.max(after, distance(got, want));
  }
  const [[wantedLoss], [rounding]] = [await expected.read("step.loss"), await expected.read("step.rounding")].map(
    ({ data }) => data,
  );
  return { loss: Math.abs(loss - wantedLoss) / wantedLoss, gradient: Math.sqrt(apart / whole), rounding, after };
}

/** Parameter by parameter of the image tower: name, our values, the library's. */
async function* pairs(checkpoint: Checkpoint, expected: SafetensorsFile, prefix: string, got: Weights) {
  for (const part of checkpoint.parts) {
    if (!isVision(part.ours[0]) || !got.has(part.ours[0])) continue;
    const wanted = takeApart(part, await expected.read(`${prefix}${part.file}`));
    for (const [i, name] of part.ours.entries()) yield [name, (got.get(name) as Tensor).data, wanted[i].data] as const;
  }
}

const squares = (values: Float32Array) => values.reduce((sum, v) => sum + v * v, 0);

/** max |a - b| / max |b|; NaN stays. */
function distance(a: Float32Array, b: Float32Array): number {
  let [most, largest] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    most = Math.max(most, Math.abs(a[i] - b[i]));
    largest = Math.max(largest, Math.abs(b[i]));
  }
  return most === 0 ? 0 : most / largest;
}

function leastCosine({ shape: [rows, width], data: a }: Tensor, { data: b }: Tensor): number {
  let least = 1;
  for (let at = 0; at < rows * width; at += width) {
    let [ab, aa, bb] = [0, 0, 0];
    for (let i = at; i < at + width; i++) {
      ab += a[i] * b[i];
      aa += a[i] * a[i];
      bb += b[i] * b[i];
    }
    least = Math.min(least, ab / Math.sqrt(aa * bb));
  }
  return least;
}

/** [E, C] -> [C, E], times a factor. */
function transposed({ shape: [rows, columns], data }: Tensor, by: number): Tensor {
  const out = new Float32Array(data.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = by * data[i * columns + j];
  return { shape: [columns, rows], data: out };
}
