/**
 * The whole engine against PyTorch: forward, contrastive loss, every gradient, four AdamW steps, for whatever
 * clip-tiny-vit* folders stand in TBAR_GOLDEN (default ../shared/golden). How the values were made and how close is
 * right: README.md there; scripts/golden/clip_tiny_vit.py makes more such folders.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { row, writeResults } from "../../bench/results.ts";
import { readCheckpoint } from "../../src/checkpoint/clip-folder.ts";
import { readJson } from "../../src/checkpoint/files.ts";
import { configFromHf } from "../../src/checkpoint/hf-config.ts";
import { type Part, partsOf, putTogether, takeApart } from "../../src/checkpoint/layouts.ts";
import { clipPreprocess } from "../../src/checkpoint/preprocess.ts";
import { openSafetensors } from "../../src/checkpoint/safetensors.ts";
import { gradientsOf } from "../../src/engine/gradients.ts";
import { classification, type LabelBatch } from "../../src/engine/objectives.ts";
import { type StepReport, train } from "../../src/engine/train.ts";
import { adamw } from "../../src/optim/adam.ts";
import { constantRate } from "../../src/optim/schedule.ts";
import { createRuntime, type Runtime } from "../../src/runtime/compile.ts";
import { onnxRuntime } from "../../src/runtime/onnxruntime.ts";
import type { Tensor, Weights } from "../../src/tensor/tensor.ts";
import { contrastiveValues, difference } from "./agreement.ts";

const golden = process.env.TBAR_GOLDEN ?? "../shared/golden";
const names = existsSync(golden) ? readdirSync(golden).filter((name) => name.startsWith("clip-tiny-vit")) : [];

/** The largest disagreement of each kind over all tensors of all folders: `npm run bench:golden` writes it down. */
const worst = new Map<string, { value: number; limit: number }>();

let runtime: Runtime;
beforeAll(async () => {
  runtime = createRuntime(await onnxRuntime({ threads: 2 }));
});
afterAll(async () => {
  await runtime.release();
  if (process.env.TBAR_WRITE === undefined || worst.size === 0) return;
  const rows = [...worst].map(([what, { value, limit }]) => row(what, value, [value, value], { op: "<=", limit }));
  writeResults("golden", { command: "npm run bench:golden", seeds: [], rows });
});

test.skipIf(names.length > 0)(`no clip-tiny-vit* in ${golden}: the golden tests are skipped`, () => {
  expect(names).toEqual([]);
});

const cases = await Promise.all(
  names.map(async (name) => {
    const folder = join(golden, name);
    const checkpoint = await readCheckpoint(folder);
    const configFile = join(folder, "config.json"); // states the heads, which a folder of OpenAI's tensors alone leaves open
    const config = existsSync(configFile) ? configFromHf(await readJson(configFile), configFile) : checkpoint.config;
    const expected = await openSafetensors(join(folder, "expected.safetensors"));
    return { name, folder, config, expected, weights: await checkpoint.weights(), parts: openAiParts(config) };
  }),
);

describe.each(cases)("$name", ({ folder, config, expected, weights, parts }) => {
  afterAll(() => expected.close());
  const has = (name: string) => expected.tensors.has(name);
  const inImageTower = parts.filter(({ file }) => file.startsWith("visual."));
  const table = "token_embedding.weight";
  const tableGradients = [`grad.${table}`, `grad.${table}.rows`];
  const optional = [
    "image_embeds_raw",
    "text_embeds_raw",
    ...parts.map(({ file }) => `grad.${file}`).filter((name) => !tableGradients.some(has) || !tableGradients.includes(name)),
    ...(has("cls.head") ? inImageTower.map(({ file }) => `cls.after.${file}`) : []),
  ];
  for (const absent of optional.filter((name) => !has(name))) test.skip(`${absent} is not in this folder`, () => {});

  test("forward, contrastive loss and every gradient", async () => {
    const got = await contrastiveValues(
      runtime,
      { config, weights },
      {
        pixels: await expected.read("pixels"),
        tokens: await expected.readInts("tokens"),
        normalization: clipPreprocess(config.vision.imageSize),
      },
    );
    for (const name of ["image_embeds", "text_embeds", "logits_per_image"] as const) {
      await expectClose("forward and loss", name, got[name].data, 1e-5);
    }
    for (const name of (["image_embeds_raw", "text_embeds_raw"] as const).filter(has)) {
      await expectClose("forward and loss", name, got[name].data, 1e-5);
    }
    await expectClose("forward and loss", "contrastive_loss", got.loss.data, 1e-5);
    await expectClose("gradients", "grad.pixels", got.pixelGradient.data, 2e-5);

    const compared = parts.filter(({ file }) => has(`grad.${file}`));
    expect(compared.length).toBeGreaterThan(10);
    for (const part of compared) {
      const gradient = putTogether(part, part.ours.map((name) => got.gradients.get(name) as Tensor));
      await expectClose("gradients", `grad.${part.file}`, gradient.data, 2e-5);
    }
    if (!has(`grad.${table}.rows`)) return;
    const { shape, data } = got.gradients.get("text_model.embeddings.token_embedding.weight") as Tensor;
    const ids = [...(await expected.readInts(`grad.${table}.row_ids`)).data];
    const rows = ids.flatMap((id) => [...data.subarray(id * shape[1], (id + 1) * shape[1])]);
    await expectClose("gradients", `grad.${table}.rows`, rows, 2e-5);
  });
});
