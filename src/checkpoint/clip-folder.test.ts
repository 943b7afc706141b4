import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ClipConfig, parameterShapes } from "../clip/config.ts";
import { sizeOf, type Tensor, tensor, type Weights } from "../tensor/tensor.ts";
import { readCheckpoint, writeCheckpoint } from "./clip-folder.ts";
import { partsOf, putTogether } from "./layouts.ts";
import { writeNewCheckpoint } from "./new-checkpoint.ts";
import { clipPreprocess } from "./preprocess.ts";
import { openSafetensors, writeSafetensors } from "./safetensors.ts";
import type { Dtype } from "./safetensors-header.ts";

const golden = fileURLToPath(new URL("../../../shared/golden/", import.meta.url));

const pico: ClipConfig = {
  embedDim: 6,
  vision: {
    imageSize: 8,
    patchSize: 4,
    width: 64,
    layers: 2,
    heads: 1,
    mlpWidth: 10,
    activation: "quick_gelu",
    eps: 1e-5,
  },
  text: {
    contextLength: 5,
    vocabSize: 11,
    width: 64,
    layers: 1,
    heads: 1,
    mlpWidth: 12,
    activation: "quick_gelu",
    eps: 1e-5,
    pooling: "largest-id",
  },
  logitScaleInit: Math.log(1 / 0.07),
};

/** Values that all three dtypes hold exactly, different everywhere. */
function picoWeights(config = pico): Map<string, Tensor> {
  let n = 0;
  return new Map(
    [...parameterShapes(config)].map(([name, shape]) => [
      name,
      tensor(
        shape,
        Float32Array.from({ length: sizeOf(shape) }, () => ((n++ % 255) - 127) / 64),
      ),
    ]),
  );
}

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-checkpoint-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Comparing strings is a hundred times faster than comparing typed arrays value by value. */
function base64(bytes: Uint8Array | Float32Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

function bits(weights: Weights): Map<string, string> {
  return new Map([...weights].map(([name, { shape, data }]) => [name, `[${shape}] ${base64(data)}`]));
}

async function allBytes(path: string): Promise<Record<string, string>> {
  const names = (await readdir(path)).sort();
  const files = await Promise.all(names.map(async (name) => [name, base64(await readFile(join(path, name)))]));
  return Object.fromEntries(files);
}

async function tensorBytes(path: string): Promise<Map<string, string>> {
  const file = await openSafetensors(path);
  const found = new Map<string, string>();
  for (const [name, { dtype, shape }] of file.tensors)
    found.set(name, `${dtype} [${shape}] ${base64(await file.readRaw(name))}`);
  await file.close();
  return found;
}

/** A lone file in OpenAI's layout, alternating dtypes, with an integer buffer and a foreign head. */
async function writeOpenai(path: string, weights: Weights): Promise<void> {
  const names = new Set(["visual.conv1.weight"]);
  for (let i = 0; i < pico.vision.layers; i++) names.add(`visual.transformer.resblocks.${i}.ln_1.weight`);
  for (let i = 0; i < pico.text.layers; i++) names.add(`transformer.resblocks.${i}.ln_1.weight`);
  const dtypes: Dtype[] = ["F16", "F32", "BF16"];
  const tensors = partsOf("openai", names).map((part, i) => {
    const value = putTogether(
      part,
      part.ours.map((name) => weights.get(name)!),
    );
    return { name: part.file, dtype: dtypes[i % 3], shape: value.shape, data: () => value };
  });
  const buffer = { name: "input_resolution", dtype: "I64" as const, shape: [], data: () => new Uint8Array(8).fill(7) };
  const head = {
    name: "visual.extra_head",
    dtype: "F32" as const,
    shape: [2],
    data: () => tensor([2], [1, Number.NaN]),
  };
  await writeSafetensors(path, { tensors: [...tensors, buffer, head], metadata: new Map([["note", "kept"]]) });
}

describe("Hugging Face folders", () => {
  const write = (name: string, dtype: "F32" | "F16" | "BF16") =>
    writeNewCheckpoint(join(folder, name), {
      config: pico,
      weights: picoWeights(),
      dtype,
      preprocess: clipPreprocess(8),
      tokenizerJson: '{"any": "text"}',
      metadata: { seed: "7" },
      readme: "# pico\n",
    });

  test.each(["F32", "F16", "BF16"] as const)("a new folder in %s is read as it was given", async (dtype) => {
    await write("new", dtype);
    const checkpoint = await readCheckpoint(join(folder, "new"));
    expect(checkpoint.layout).toBe("hf");
    expect(checkpoint.config).toEqual({ ...pico, text: { ...pico.text, eosTokenId: 2, bosTokenId: 0 } });
    expect(checkpoint.preprocess).toEqual(clipPreprocess(8));
    expect(checkpoint.metadata).toEqual({ format: "pt", seed: "7" });
    expect(new Set(checkpoint.dtypes.values())).toEqual(new Set([dtype]));
    expect(checkpoint.tokenizerPath).toBe(join(folder, "new", "tokenizer.json"));
    expect(bits(await checkpoint.weights())).toEqual(bits(picoWeights()));
  });

  test("written back without changes, every file but the README is the same byte for byte", async () => {
    await write("new", "F16");
    const like = await readCheckpoint(join(folder, "new"));
    await writeCheckpoint(join(folder, "copy"), { like, weights: await like.weights() });
    const { "README.md": _, ...expected } = await allBytes(join(folder, "new"));
    expect(await allBytes(join(folder, "copy"))).toEqual(expected);
  });
});

describe("OpenAI layout", () => {
  test("q, k, v are the row blocks of in_proj; visual.proj and text_projection are transposed", async () => {
    await writeOpenai(join(folder, "clip.safetensors"), picoWeights());
    const checkpoint = await readCheckpoint(join(folder, "clip.safetensors"));
    expect(bits(await checkpoint.weights())).toEqual(bits(picoWeights()));
    const file = await openSafetensors(join(folder, "clip.safetensors"));
    const fused = await file.read("transformer.resblocks.0.attn.in_proj_weight");
    const key = await checkpoint.tensor("text_model.encoder.layers.0.self_attn.k_proj.weight");
    expect(key.data).toEqual(fused.data.slice(64 * 64, 2 * 64 * 64));
    const projection = await file.read("visual.proj");
    await file.close();
    const ours = await checkpoint.tensor("visual_projection.weight");
    expect([projection.shape, ours.shape]).toEqual([
      [64, 6],
      [6, 64],
    ]);
    expect(ours.data[3 * 64 + 5]).toBe(projection.data[5 * 6 + 3]);
  });

  test("sizes are inferred from shapes alone, heads as width/64", async () => {
    await writeOpenai(join(folder, "clip.safetensors"), picoWeights());
    const { config } = await readCheckpoint(join(folder, "clip.safetensors"));
    expect(config).toEqual(pico);
  });

  test("written back all anew, the file is the same byte for byte, extras and dtypes included", async () => {
    await writeOpenai(join(folder, "clip.safetensors"), picoWeights());
    const like = await readCheckpoint(join(folder, "clip.safetensors"));
    expect(like.extras.toSorted()).toEqual(["input_resolution", "visual.extra_head"]);
    await writeCheckpoint(join(folder, "copy.safetensors"), { like, weights: await like.weights() });
    expect(await tensorBytes(join(folder, "copy.safetensors"))).toEqual(await tensorBytes(like.weightsFile));
    expect((await readCheckpoint(join(folder, "copy.safetensors"))).metadata).toEqual({ format: "pt", note: "kept" });
  });

  test("one new parameter changes its rows of in_proj and nothing else", async () => {
    await writeOpenai(join(folder, "clip.safetensors"), picoWeights());
    const like = await readCheckpoint(join(folder, "clip.safetensors"));
    const name = "vision_model.encoder.layers.1.self_attn.v_proj.bias";
    const ones = tensor([64], new Float32Array(64).fill(1));
    const out = join(folder, "new.safetensors");
    await writeCheckpoint(out, { like, weights: new Map([[name, ones]]), metadata: { parent: await like.sha256() } });
    const written = await readCheckpoint(out);
    expect(bits(await written.weights())).toEqual(bits(picoWeights().set(name, ones)));
    expect(written.dtypes).toEqual(like.dtypes);
    expect(written.metadata).toMatchObject({ note: "kept", parent: await like.sha256() });
  });
});

describe.skipIf(!existsSync(golden))("golden files (in ../shared)", () => {
  test("clip-tiny-vit: both layouts of the same model give the same config and weights", async () => {
    const hf = await readCheckpoint(join(golden, "clip-tiny-vit"));
    const openai = await readCheckpoint(join(golden, "clip-tiny-vit/open_clip_model.safetensors"));
    expect([hf.layout, openai.layout]).toEqual(["hf", "openai"]);
    expect(openai.config.vision).toEqual(hf.config.vision);
    expect(openai.config.text).toEqual({ ...hf.config.text, eosTokenId: undefined, bosTokenId: undefined });
    expect(openai.dtypes).toEqual(hf.dtypes);
    expect(bits(await openai.weights())).toEqual(bits(await hf.weights()));
  });

  test.each(["clip-tiny-vit", "hf-clip-gelu"])("%s: folder out as it came in, bit for bit", async (name) => {
    const like = await readCheckpoint(join(golden, name));
    await writeCheckpoint(join(folder, "out"), { like, weights: await like.weights() });
    const out = await readCheckpoint(join(folder, "out"));
    expect(await tensorBytes(out.weightsFile)).toEqual(await tensorBytes(like.weightsFile));
    expect(await readFile(join(folder, "out/config.json"))).toEqual(await readFile(join(golden, name, "config.json")));
  });

  test("hf-clip-gelu: the very bytes of transformers' save_pretrained (header order, padding, metadata)", async () => {
    const like = await readCheckpoint(join(golden, "hf-clip-gelu"));
    await writeCheckpoint(join(folder, "out"), { like, weights: await like.weights() });
    expect(await (await readCheckpoint(join(folder, "out"))).sha256()).toBe(await like.sha256());
  });

  test("clip-tiny-vit in OpenAI's layout: tensors out as they came in, bit for bit", async () => {
    const like = await readCheckpoint(join(golden, "clip-tiny-vit/open_clip_model.safetensors"));
    await writeCheckpoint(join(folder, "out.safetensors"), { like, weights: await like.weights() });
    expect(await tensorBytes(join(folder, "out.safetensors"))).toEqual(await tensorBytes(like.weightsFile));
  });
});
