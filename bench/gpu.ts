/**
 * Image towers of random weights on a GPU beside PyTorch on the same card, float32, TF32 and bfloat16, in one call: a batch forward, a training step, a
 * step of DECREE, and a clean job (63 steps of 16 images, then 1,200 images at each of 21 alphas; `tbar clean` looks at fewer). Before that, how
 * far the device's embeddings and three steps are from the CPU's.
 * Run: npm run bench:gpu -- --device cuda --sizes b32,l14, which writes results/bench/gpu-cuda.json. ONNX Runtime's products on CUDA are TF32;
 * with --exact they are float32, for gpu-cuda-float32.json. Python with torch and transformers (TBAR_PYTHON) is the peer; without it our own
 * times alone are written. scripts/gpu-bench.sh brings all this to a machine without a network.
 */
import { execFileSync } from "node:child_process";
import { parseArgs } from "node:util";
import { subtract, taskVector } from "../src/arithmetic/task-vector.ts";
import { configFromHf } from "../src/checkpoint/config/hf-config.ts";
import { clipPreprocess } from "../src/checkpoint/config/preprocess.ts";
import { initialWeights, isVision } from "../src/clip/parameters.ts";
import { descendAlone, named } from "../src/detectors/descend.ts";
import { mask } from "../src/detectors/forms/mask.ts";
import { alike } from "../src/detectors/losses.ts";
import type { Clip } from "../src/engine/clip.ts";
import { createEncoder } from "../src/engine/encoder.ts";
import { classification } from "../src/engine/objectives.ts";
import { stampGradients } from "../src/engine/pixel-gradients.ts";
import { train } from "../src/engine/train.ts";
import { adam } from "../src/optim/adam.ts";
import { adamw } from "../src/optim/adamw.ts";
import { constantRate } from "../src/optim/schedule.ts";
import { createRuntime } from "../src/runtime/compile.ts";
import { type Device, onnxRuntime } from "../src/runtime/onnxruntime.ts";
import { random } from "../src/tensor/random.ts";
import { type Tensor, tensor, type Weights } from "../src/tensor/tensor.ts";
import { peer } from "./peer.ts";
import { atMost, exact, median, python, type Row, rated, writeResults } from "./results.ts";

const { values: asked } = parseArgs({
  options: {
    device: { type: "string", default: "webgpu" },
    sizes: { type: "string", default: "b32,l14" },
    rounds: { type: "string", default: "9" },
    without: { type: "string", default: "l14:clean" }, // minutes
    exact: { type: "boolean", default: false },
  },
});
const device = asked.device as Device;
const rounds = Number(asked.rounds);
/** Steps that are timed, after one that compiles: CUDA takes up to 64 of them in a call. */
const counted = device === "cuda" ? 64 : 16;
const batch = 32;
const job = { steps: 63, batch: 16, images: 1200, alphas: 21 };

const towers: Readonly<Record<string, { readonly title: string; readonly embedDim: number; readonly vision: object }>> =
  {
    pico: { title: "a tower of two blocks", embedDim: 16, vision: vision(16, 8, 64, 2, 2) },
    b32: { title: "ViT-B/32", embedDim: 512, vision: vision(224, 32, 768, 12, 12) },
    l14: { title: "ViT-L/14", embedDim: 768, vision: vision(224, 14, 1024, 24, 16) },
  };
function vision(image_size: number, patch_size: number, hidden_size: number, layers: number, heads: number): object {
  const blocks = { num_hidden_layers: layers, num_attention_heads: heads };
  return { image_size, patch_size, hidden_size, intermediate_size: 4 * hidden_size, ...blocks };
}

const timed = async (work: () => Promise<unknown>) => {
  const start = performance.now();
  await work();
  return performance.now() - start;
};
async function* times<T>(count: number, value: T) {
  for (let i = 0; i < count; i++) yield value;
}
const drawn = (shape: readonly number[]): Tensor => {
  const values = tensor(shape);
  random(1, "bench").fillUniform(values.data);
  return values;
};

/** A tower on a device. `works` are what is timed, each call one measurement in milliseconds. */
async function towerOn(device: Device, size: string) {
  const { embedDim, vision } = towers[size];
  const text_config = { hidden_size: 64, num_hidden_layers: 1, num_attention_heads: 1, eos_token_id: 2, bos_token_id: 1, vocab_size: 8 }; // biome-ignore format: one line
  const config = configFromHf({ model_type: "clip", projection_dim: embedDim, text_config, vision_config: vision });
  const weights: Weights = new Map([...initialWeights(config, 1)].filter(([name]) => isVision(name)));
  const S = config.vision.imageSize;
  const preprocess = clipPreprocess(S);
  const runtime = createRuntime(await onnxRuntime({ device }));
  const encoder = createEncoder(runtime, config, preprocess, () => []);
  const clip: Clip = { config, preprocess, tokenize: () => [], runtime, encoder };
  const objective = classification(config, preprocess, drawn([397, embedDim]));
  const labelled = (count: number) => ({
    pixels: drawn([count, 3, S, S]),
    labels: Int32Array.from({ length: count }, (_, i) => i % 397),
  });

  /** Weights after some steps; times and losses by step, of which a device may take several at once. */
  async function tune(steps: number, count: number) {
    const ends: number[] = [];
    const losses: number[] = [];
    const tuned = await train(weights, {
      runtime,
      objective,
      batches: times(steps, labelled(count)),
      optimizer: adamw({ weightDecay: 0.1 }),
      schedule: constantRate(1e-5),
      clip: 1,
      ahead: true,
      onStep({ loss }) {
        ends.push(performance.now());
        losses.push(loss);
      },
    });
    return { tuned, ends, losses };
  }

  const pixels = drawn([batch, 3, S, S]);
  const form = mask(S, () => 3e-3);
  const parameters = form.start(random(1, "bench"));
  const optimizer = adam({ betas: [0.5, 0.9] });
  const state = optimizer.init(named(parameters));
  const engine = stampGradients(clip, weights, alike, form.graph.stamp);
  return {
    weights,
    embeddings: (count: number) => encoder.images(weights, { shape: [count, 3, S, S], data: pixels.data.slice(0, count * 3 * S * S) }), // biome-ignore format: one line
    tune,
    works: works(),
    async release() {
      await engine.release();
      await runtime.release();
    },
  };

  function works() {
    return {
      forward: () =>
        timed(async () => {
          await encoder.prepack(weights);
          await encoder.images(weights, pixels);
        }),
      /** The mean over all but the first, which compiles. */
      async step() {
        const { ends } = await tune(counted + 1, batch);
        return ((ends.at(-1) as number) - ends[0]) / counted;
      },
      decree: () =>
        timed(async () => {
          const { gradients } = await descendAlone(engine, { form, parameters }, pixels, {});
          form.penalty?.(parameters, gradients[0]);
          optimizer.update(named(parameters), named(gradients[0]), state, 0.5);
        }),
      clean: () =>
        timed(async () => {
          const { tuned } = await tune(job.steps, job.batch);
          const tau = taskVector(weights, tuned);
          for (let alpha = 0; alpha < job.alphas; alpha++) {
            const cleaned = subtract(weights, tau, alpha / 10);
            await encoder.prepack(cleaned);
            for (let seen = 0; seen < job.images; seen += batch) await encoder.images(cleaned, pixels);
          }
        }),
    };
  }
}

/** How far the device is from the CPU: in float32 by rounding alone. */
async function apart(mine: Awaited<ReturnType<typeof towerOn>>, size: string): Promise<Row[]> {
  const cpu = await towerOn("cpu", size);
  const [few, steps] = [8, 3];
  const [a, b] = [await mine.embeddings(few), await cpu.embeddings(few)];
  const [x, y] = [await mine.tune(steps, few), await cpu.tune(steps, few)];
  await cpu.release();
  let [changed, wrong] = [0, 0];
  for (const [name, { data }] of y.tuned) {
    const [found, start] = [x.tuned.get(name) as Tensor, mine.weights.get(name) as Tensor];
    for (let i = 0; i < data.length; i++) {
      changed += (data[i] - start.data[i]) ** 2;
      wrong += (found.data[i] - data[i]) ** 2;
    }
  }
  const largest = Math.max(...b.data.map((value, i) => Math.abs(value - a.data[i])));
  const losses = Math.max(...y.losses.map((loss, i) => Math.abs(x.losses[i] / loss - 1)));
  const { title } = towers[size];
  return [
    exact(`${title}, unit-norm embeddings of ${few} images: largest difference from the CPU's`, largest),
    exact(`${title}, ${steps} steps of ${few} images: losses, largest difference from the CPU's as a share`, losses),
    exact(`${title}, ${steps} steps of ${few} images: change of the weights, norm of the difference from the CPU's as a share`, Math.sqrt(wrong / changed)), // biome-ignore format: one line
  ];
}

const titles = {
  forward: `forward of ${batch} images`,
  step: `training step of ${batch} images (forward, gradients, clipping, AdamW)`,
  decree: `step of DECREE with ${batch} images`,
  clean: `clean job (${job.steps} steps of ${job.batch} images, ${job.images} images at ${job.alphas} alphas)`,
} as const;
const precisions = asked.exact ? ["float32"] : ["float32", "tf32", "bf16"];
const rows: Row[] = [];
const notes = [`GPU: ${card()}`];
for (const size of asked.sizes.split(",")) {
  const { title, embedDim, vision } = towers[size];
  const settings = { device: device === "cpu" ? "cpu" : "cuda", batch, embedDim, vision, job };
  const pytorch = await peer(python, ["bench/peers/gpu.py", JSON.stringify(settings)]).catch((error) => {
    notes.push(`${title}: no PyTorch (${error.message})`);
    return undefined;
  });
  if (asked.exact) process.env.NVIDIA_TF32_OVERRIDE = "0"; // after PyTorch's start, which decides by itself; read when CUDA's libraries are loaded
  const mine = await towerOn(device, size);
  rows.push(...(await apart(mine, size)));
  for (const what of Object.keys(titles) as (keyof typeof titles)[]) {
    if (asked.without.split(",").includes(`${size}:${what}`)) continue;
    const count = what === "clean" ? 1 : what === "step" ? Math.ceil(rounds / 3) : rounds;
    await (what === "clean" ? undefined : mine.works[what]()); // compiles
    const times: number[] = [];
    for (let round = 0; round < count; round++) times.push(await mine.works[what]());
    const own = median(times);
    rows.push(rated(`${title}, ${titles[what]}: ms`, own));
    for (const precision of pytorch ? precisions : []) {
      if (what === "clean" && precision === "bf16") continue;
      const theirs: number[] = [];
      for (let round = 0; round < count + (what === "clean" ? 0 : 1); round++) theirs.push(await (pytorch as NonNullable<typeof pytorch>).ask(`${precision} ${what}`)); // biome-ignore format: one line
      const other = median(theirs.slice(what === "clean" ? 0 : 1));
      rows.push(rated(`${title}, ${titles[what]}: ms, PyTorch ${pytorch?.version} ${precision}`, other));
      const bar = (what === "step" || what === "clean") && precision !== "bf16" ? atMost(device === "cuda" ? 1.5 : 3) : null; // biome-ignore format: one line
      rows.push(exact(`${title}, ${titles[what]}: time / PyTorch's ${precision}`, own.value / other.value, bar));
    }
    write(); // what comes after takes longer, and may not end
    console.error(`${title}, ${what}: ${own.value.toFixed(1)} ms`);
  }
  pytorch?.stop();
  await mine.release();
}
process.exit(0);

function write(): void {
  const name = `gpu-${device}${asked.exact ? "-float32" : ""}`;
  writeResults(name, { command: "npm run bench:gpu", seeds: [1], rows, notes, reference: null });
}

/** The card's name, as NVIDIA's driver tells it. */
function card(): string {
  try {
    return execFileSync("nvidia-smi", ["--query-gpu=name,driver_version", "--format=csv,noheader"], { encoding: "utf8" }).trim(); // biome-ignore format: one line
  } catch {
    return "none that nvidia-smi knows";
  }
}
