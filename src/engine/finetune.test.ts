/** Fine-tuning kept in a file: a kill changes nothing but the time. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ClipConfig } from "../checkpoint/config/config.ts";
import { clipPreprocess } from "../checkpoint/config/preprocess.ts";
import { openSafetensors } from "../checkpoint/formats/safetensors.ts";
import { initialWeights } from "../clip/parameters.ts";
import type { Dataset } from "../data/dataset.ts";
import { createRuntime, type Runtime } from "../runtime/compile.ts";
import { onnxRuntime } from "../runtime/onnxruntime.ts";
import { random } from "../tensor/random.ts";
import { tensor } from "../tensor/tensor.ts";
import { createClip } from "./clip.ts";
import { finetune, type Recipe, type Resumable } from "./finetune.ts";
import { underHead } from "./tasks.ts";

const tower = { width: 16, layers: 1, heads: 2, mlpWidth: 32, activation: "quick_gelu", eps: 1e-5 } as const;
const text = { ...tower, contextLength: 8, vocabSize: 20, pooling: "largest-id" } as const;
const configs: Record<string, ClipConfig> = {
  transformer: { embedDim: 8, logitScaleInit: 2, vision: { ...tower, imageSize: 32, patchSize: 16 }, text },
  ResNet: {
    embedDim: 8,
    logitScaleInit: 2,
    vision: { kind: "resnet", imageSize: 32, width: 8, blocks: [1, 1, 1, 1], heads: 4 },
    text,
  },
};

/** Ten images of noise in three classes; counts what is read. */
let read = 0;
const noise: Dataset = {
  name: "noise",
  size: 10,
  example: (i) => ({ id: `${i}`, label: i % 3 }),
  async read(indices, { cropSize: size }) {
    read += indices.length;
    const length = 3 * size * size;
    const pixels = tensor([indices.length, 3, size, size]);
    for (const [row, i] of indices.entries()) {
      random("noise", i).fillUniform(pixels.data.subarray(row * length, (row + 1) * length));
    }
    return pixels;
  },
};
const head = tensor([3, 8]);
random(2).fillNormal(head.data, 0, 5);

let runtime: Runtime;
let folder: string;
beforeAll(async () => {
  runtime = createRuntime(await onnxRuntime({ threads: 1 }));
  folder = await mkdtemp(join(tmpdir(), "tbar-finetune-"));
});
afterAll(async () => {
  await runtime.release();
  await rm(folder, { recursive: true });
});

// 3 batches of 4, 4 and 2 images an epoch
const recipe = { lr: 1e-2, epochs: 2, batch: 4, warmup: 0.2, weightDecay: 0.1, clip: 1, seed: 5 };

describe.each(Object.keys(configs))("%s", (name) => {
  const start = initialWeights(configs[name], 1);
  const run = (watch: Resumable = {}, epochs = 2, modules?: Recipe["modules"]) => {
    const clip = createClip({ config: configs[name], preprocess: clipPreprocess(32), tokenize: () => [], runtime });
    const asked = { ...recipe, epochs, modules };
    return finetune(clip, start, underHead(clip, noise, head, asked), asked, watch);
  };

  test("killed within the second epoch and resumed, it ends where one run does, bit for bit; reading no image twice", async () => {
    const keep = { path: join(folder, `${name}.safetensors`), recipe: "this run", saveEvery: 0 };
    const stop = new AbortController();
    const seen: number[] = [];
    const onStep: Resumable["onStep"] = ({ step }) => {
      seen.push(step);
      if (step === 4) stop.abort();
    };
    await expect(run({ keep, signal: stop.signal, onStep })).rejects.toMatchObject({ name: "AbortError" });
    read = 0;
    const resumed = await run({ keep, onStep });
    expect(seen).toEqual([1, 2, 3, 4, 5, 6]);
    expect(read).toBe(6); // the two batches that were left
    const whole = await run();
    expect(resumed).toEqual(whole);

    // finished: the weights alone, without moments, and without those that training leaves as they are
    const file = await openSafetensors(keep.path);
    const kept = [...file.tensors.keys()];
    await file.close();
    expect(kept.every((tensor) => /^weights\/(vis|visual)/.test(tensor))).toBe(true);
    read = 0;
    expect(await run({ keep })).toEqual(whole);
    expect(read).toBe(0);
  });

  test("the projection learns alone when asked to", async () => {
    const tuned = await run({}, 1, "projection");
    const moved = [...tuned].filter(([name, { data }]) => data.some((value, i) => value !== start.get(name)?.data[i]));
    const pooling = "visual.attnpool.c_proj";
    const projection = name === "ResNet" ? [`${pooling}.weight`, `${pooling}.bias`] : ["visual_projection.weight"];
    expect(moved.map(([name]) => name).sort()).toEqual(projection.sort());
  });

  test("the state of another run is refused by name", async () => {
    const path = join(folder, `${name}-other.safetensors`);
    await run({ keep: { path, recipe: "one" } }, 1);
    await expect(run({ keep: { path, recipe: "two" } }, 1)).rejects.toThrow(/is the state of another run \(one\)/);
  });
});
