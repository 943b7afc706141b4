import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ClipConfig } from "../checkpoint/config/config.ts";
import { clipPreprocess } from "../checkpoint/config/preprocess.ts";
import { initialWeights } from "../clip/parameters.ts";
import { loadTokenizer, type Tokenize, wordTokenizer } from "../clip/tokenizer.ts";
import type { Dataset } from "../data/dataset.ts";
import { createRuntime, type Runtime } from "../runtime/compile.ts";
import { onnxRuntime } from "../runtime/onnxruntime.ts";
import { random } from "../tensor/random.ts";
import { tensor } from "../tensor/tensor.ts";
import { type PretrainOptions, pretrain } from "./pretrain.ts";
import type { StepReport } from "./training.ts";

const colors = ["red", "green", "blue", "pink", "grey"];
const shapes = ["star", "ring"];
const { json, vocabSize, bos, eos } = wordTokenizer([...colors, ...shapes]);
const tower = { width: 16, layers: 1, heads: 2, mlpWidth: 32, activation: "quick_gelu", eps: 1e-5 } as const;
const config: ClipConfig = {
  embedDim: 8,
  logitScaleInit: Math.log(10),
  vision: { ...tower, imageSize: 16, patchSize: 8 },
  text: { ...tower, contextLength: 8, vocabSize, bosTokenId: bos, eosTokenId: eos, pooling: "largest-id" },
};

/** Ten images of noise, each with its own two words. */
const noise: Dataset = {
  name: "noise",
  size: 10,
  example: (i) => ({ id: `${i}`, caption: `${colors[i % 5]} ${shapes[Math.floor(i / 5)]}` }),
  async read(indices, { cropSize: size }) {
    const length = 3 * size * size;
    const pixels = tensor([indices.length, 3, size, size]);
    for (const [row, i] of indices.entries()) {
      random("noise", i).fillUniform(pixels.data.subarray(row * length, (row + 1) * length));
    }
    return pixels;
  },
};

let runtime: Runtime;
let tokenize: Tokenize;
let folder: string;
beforeAll(async () => {
  runtime = createRuntime(await onnxRuntime({ threads: 1 }));
  tokenize = await loadTokenizer(json, config.text);
  folder = await mkdtemp(join(tmpdir(), "tbar-pretrain-"));
});
afterAll(async () => {
  await runtime.release();
  await rm(folder, { recursive: true });
});

// 6 batches of 4 from 10 images: two epochs end within a batch
const recipe = { steps: 6, batch: 4, lr: 1e-2, warmup: 2, weightDecay: 0.1, seed: 5 };

async function run(options: Partial<PretrainOptions> = {}) {
  const reports: StepReport[] = [];
  const { weights } = await pretrain({
    runtime,
    config,
    preprocess: clipPreprocess(16),
    tokenize,
    dataset: noise,
    ...recipe,
    onStep: (report) => void reports.push(report),
    ...options,
  });
  return { weights, reports };
}

describe("pretrain", () => {
  test("the seed decides all: start, order, and every bit of the result", async () => {
    const once = await run();
    expect(once.reports.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await run()).toEqual(once);
    expect((await run({ seed: 6 })).weights).not.toEqual(once.weights);
  });

  test("every parameter learns, and pairs of noise are learnt by heart", async () => {
    const { weights, reports } = await run({ steps: 40 });
    const start = initialWeights(config, recipe.seed);
    for (const [name, { data }] of weights) expect(data, name).not.toEqual(start.get(name)?.data);
    expect(reports.at(-1)?.loss).toBeLessThan(0.5 * reports[0].loss);
  });

  test.each([false, true])(
    "killed after step 3 and resumed from its state, it ends where one run does, bit for bit; augment %s",
    async (augment) => {
      const stateFile = join(folder, `killed-${augment}.safetensors`);
      const stop = new AbortController();
      const before: StepReport[] = [];
      const killed = run({
        augment,
        stateFile,
        saveEvery: 0,
        signal: stop.signal,
        onStep: (report) => {
          before.push(report);
          if (report.step === 3) stop.abort();
        },
      });
      await expect(killed).rejects.toMatchObject({ name: "AbortError" });
      const resumed = await run({ augment, stateFile });
      const whole = await run({ augment });
      expect(resumed.reports).toHaveLength(3);
      expect({ ...resumed, reports: [...before, ...resumed.reports] }).toEqual(whole);
      // the state of a finished run holds its weights: nothing is left to do
      expect(await run({ augment, stateFile })).toEqual({ weights: whole.weights, reports: [] });
    },
  );

  test("another recipe's state is refused, and left alone", async () => {
    const stateFile = join(folder, "other.safetensors");
    const { weights } = await run({ stateFile });
    await expect(run({ stateFile, lr: 1e-3 })).rejects.toMatchObject({
      code: "bad-input",
      message: expect.stringContaining(`${stateFile} is the state of another run`),
    });
    expect((await run({ stateFile })).weights).toEqual(weights);
  });

  test("an image without a caption is named", async () => {
    const bare: Dataset = { ...noise, example: (i) => ({ id: `${i}.png` }) };
    await expect(run({ dataset: bare })).rejects.toThrow(/noise: \d\.png has no caption/);
  });
});
