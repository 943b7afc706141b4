/**
 * Folders saved by transformers' own save_pretrained against transformers: forward, loss and gradients, for whatever
 * hf-* folders of CLIP and SigLIP models stand in TBAR_GOLDEN (default ../shared/golden). README.md there says how the values
 * were made.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readCheckpoint } from "../../src/checkpoint/clip-folder.ts";
import { openSafetensors } from "../../src/checkpoint/formats/safetensors.ts";
import { createRuntime, type Runtime } from "../../src/runtime/compile.ts";
import { onnxRuntime } from "../../src/runtime/onnxruntime.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { contrastiveValues, difference, withoutKey } from "./agreement.ts";

const golden = process.env.TBAR_GOLDEN ?? "../shared/golden";
const isModel = (name: string) => name.startsWith("hf-") && existsSync(join(golden, name, "expected.safetensors"));
const names = existsSync(golden) ? readdirSync(golden).filter(isModel) : [];

let runtime: Runtime;
beforeAll(async () => {
  runtime = createRuntime(await onnxRuntime({ threads: 2 }));
});
afterAll(() => runtime.release());

if (names.length === 0) test.skip(`hf-* is not in ${golden}`, () => {});

const cases = await Promise.all(
  names.map(async (name) => {
    const checkpoint = await readCheckpoint(join(golden, name));
    const expected = await openSafetensors(join(golden, name, "expected.safetensors"));
    return [name, { config: checkpoint.config, weights: await checkpoint.weights(), expected }] as const;
  }),
);

describe.each(cases)("%s", (_, { config, weights, expected }) => {
  afterAll(() => expected.close());
  // larger tensors have no gradient there; the key's bias moves all scores of a row alike: zero but for rounding
  const tested = [...weights.keys()].filter((name) => !name.endsWith("k_proj.bias"));
  const stored = tested.filter((name) => expected.tensors.has(`grad.${name}`));
  for (const name of tested) if (!stored.includes(name)) test.skip(`grad.${name} is not in this folder`, () => {});

  test("forward, loss and gradients", async () => {
    const got = await contrastiveValues(
      runtime,
      { config, weights },
      {
        pixels: await expected.read("pixel_values"),
        tokens: await expected.readInts("input_ids"),
        normalization: { mean: [0, 0, 0], std: [1, 1, 1] }, // they are normalised already
      },
    );
    const close = async (name: string, { data }: Tensor, tolerance: number) =>
      expect(difference(data, (await expected.read(name)).data, name), name).toBeLessThanOrEqual(tolerance);
    for (const name of ["image_embeds", "text_embeds", "logits_per_image", "loss"] as const) {
      await close(name, got[name], 1e-5);
    }
    await close("grad.pixel_values", got.pixelGradient, 2e-5);
    expect(stored.length).toBeGreaterThan(10);
    for (const name of stored) {
      const gradient = got.gradients.get(name) as Tensor;
      const want = await expected.read(`grad.${name}`);
      const [mine, theirs] = [gradient, want].map(({ data }) =>
        name.endsWith("in_proj_bias") ? withoutKey(data) : data,
      );
      expect(difference(mine, theirs, name), name).toBeLessThanOrEqual(2e-5);
    }
  });
});
