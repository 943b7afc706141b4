/**
 * CLIP's ResNets against PyTorch in evaluation mode: forward, contrastive loss, every gradient, for whatever
 * clip-tiny-resnet* folders stand in TBAR_GOLDEN (default ../shared/golden). README.md there says how the values were made.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readCheckpoint } from "../../src/checkpoint/clip-folder.ts";
import { openSafetensors } from "../../src/checkpoint/formats/safetensors.ts";
import { putTogether } from "../../src/checkpoint/names/parts.ts";
import { createRuntime, type Runtime } from "../../src/runtime/compile.ts";
import { onnxRuntime } from "../../src/runtime/onnxruntime.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { contrastiveValues, difference, withoutKey } from "./agreement.ts";

const golden = process.env.TBAR_GOLDEN ?? "../shared/golden";
const names = existsSync(golden) ? readdirSync(golden).filter((name) => name.startsWith("clip-tiny-resnet")) : [];

let runtime: Runtime;
beforeAll(async () => {
  runtime = createRuntime(await onnxRuntime({ threads: 2 }));
});
afterAll(() => runtime.release());

if (names.length === 0) test.skip(`clip-tiny-resnet* is not in ${golden}`, () => {});

const cases = await Promise.all(
  names.map(async (name) => {
    const checkpoint = await readCheckpoint(join(golden, name));
    const expected = await openSafetensors(join(golden, name, "expected.safetensors"));
    return [name, { checkpoint, weights: await checkpoint.weights(), expected }] as const;
  }),
);

describe.each(cases)("%s", (_, { checkpoint, weights, expected }) => {
  afterAll(() => expected.close());
  const learned = checkpoint.parts.filter(({ file }) => !/running_(mean|var)$/.test(file));
  const stored = learned.filter(({ file }) => expected.tensors.has(`grad.${file}`));
  for (const part of learned) {
    if (!stored.includes(part)) test.skip(`grad.${part.file} is not in this folder`, () => {});
  }

  test("forward, contrastive loss and every gradient", async () => {
    const got = await contrastiveValues(
      runtime,
      { config: checkpoint.config, weights },
      {
        pixels: await expected.read("pixels"),
        tokens: await expected.readInts("tokens"),
        normalization: checkpoint.preprocess,
      },
    );
    const close = async (name: string, { data }: Pick<Tensor, "data">, tolerance: number) =>
      expect(difference(data, (await expected.read(name)).data, name), name).toBeLessThanOrEqual(tolerance);
    for (const name of [
      "image_embeds_raw",
      "text_embeds_raw",
      "image_embeds",
      "text_embeds",
      "logits_per_image",
    ] as const) {
      await close(name, got[name], 1e-5);
    }
    await close("contrastive_loss", got.loss, 1e-5);
    await close("grad.pixels", got.pixelGradient, 2e-5);
    expect(stored.length).toBeGreaterThan(50);
    for (const part of stored) {
      const name = `grad.${part.file}`;
      if (name.endsWith("attnpool.k_proj.bias")) continue; // zero but for rounding, as any key's bias
      const { data } = putTogether(
        part,
        part.ours.map((our) => got.gradients.get(our) as Tensor),
      );
      const want = (await expected.read(name)).data;
      if (!name.endsWith("in_proj_bias")) expect(difference(data, want, name), name).toBeLessThanOrEqual(2e-5);
      else expect(difference(withoutKey(data), withoutKey(want), name), name).toBeLessThanOrEqual(2e-5);
    }
  });
});
