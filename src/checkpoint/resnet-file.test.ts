/** A CLIP ResNet as a lone file by OpenAI's names, prefixes included, with nothing beside it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { picoConfig } from "../../test/pico-config.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { readCheckpoint } from "./clip-folder.ts";
import { type ClipConfig, parameterShapes } from "./config/config.ts";
import { writeSafetensors } from "./formats/safetensors.ts";
import { partsOf } from "./names/layouts.ts";
import { putTogether } from "./names/parts.ts";
import { writeCheckpoint } from "./write-checkpoint.ts";

const config: ClipConfig = {
  embedDim: 6,
  vision: { kind: "resnet", imageSize: 32, width: 4, blocks: [1, 2, 1, 1], heads: 2 },
  text: picoConfig.text,
  logitScaleInit: Math.log(1 / 0.07),
};

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-resnet-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function write(prefix: string, change: (weights: Map<string, Tensor>) => void = () => {}): Promise<string> {
  const weights = new Map<string, Tensor>();
  for (const [name, shape] of parameterShapes(config)) {
    const value = tensor(shape);
    weights.set(name, { shape, data: value.data.map((_, i) => (i % 7) / 8) });
  }
  change(weights);
  const blocks = ["1.0", "2.0", "2.1", "3.0", "4.0"].map((block) => `visual.layer${block}.conv1.weight`);
  const parts = partsOf("openai", new Set([...blocks, "transformer.resblocks.0.ln_1.weight"]));
  const tensors = parts.map((part) => {
    const value = putTogether(
      part,
      part.ours.map((name) => weights.get(name) as Tensor),
    );
    return { name: prefix + part.file, dtype: "F32" as const, shape: value.shape, data: () => value };
  });
  const path = join(folder, "resnet.safetensors");
  const counter = { name: `${prefix}visual.bn1.num_batches_tracked`, dtype: "I64" as const, shape: [] };
  await writeSafetensors(path, { tensors: [...tensors, { ...counter, data: () => new Uint8Array(8) }] });
  return path;
}

test.each(["", "module."])(
  "sizes are read from the shapes, running statistics are weights (prefix %j)",
  async (prefix) => {
    const checkpoint = await readCheckpoint(await write(prefix));
    expect(checkpoint.config).toEqual(config);
    expect(checkpoint.extras).toEqual([`${prefix}visual.bn1.num_batches_tracked`]);
    const weights = await checkpoint.weights();
    expect(new Set(weights.keys())).toEqual(new Set(parameterShapes(config).keys()));

    const name = "visual.layer2.1.bn3.running_var";
    const changed = new Map([[name, tensor([32], Array(32).fill(2))]]);
    await writeCheckpoint(join(folder, "out.safetensors"), { like: checkpoint, weights: changed });
    const again = await readCheckpoint(join(folder, "out.safetensors"));
    expect([...again.tensors.keys()]).toEqual([...checkpoint.tensors.keys()]);
    expect((await again.tensor(name)).data[0]).toBe(2);
  },
);

test("a negative variance is damage", async () => {
  const path = await write("", (weights) => {
    const { data } = weights.get("visual.bn2.running_var") as Tensor;
    data[1] = -0.5;
  });
  const reading = (await readCheckpoint(path)).weights();
  await expect(reading).rejects.toThrow("variance visual.bn2.running_var is -0.5 (value 1); the weights are damaged");
});
