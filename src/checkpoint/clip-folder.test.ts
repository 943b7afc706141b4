import { existsSync } from "node:fs";
import { mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { picoConfig as pico } from "../../test/pico-config.ts";
import { sizeOf, type Tensor, tensor, type Weights } from "../tensor/tensor.ts";
import { readCheckpoint } from "./clip-folder.ts";
import { parameterShapes } from "./config/config.ts";
import { clipPreprocess } from "./config/preprocess.ts";
import { openSafetensors, type TensorSource, writeSafetensors } from "./formats/safetensors.ts";
import type { Dtype } from "./formats/safetensors-header.ts";
import { partsOf } from "./names/layouts.ts";
import { putTogether } from "./names/parts.ts";
import { writeNewCheckpoint } from "./new-checkpoint.ts";
import { writeCheckpoint } from "./write-checkpoint.ts";

const golden = fileURLToPath(new URL("../../../shared/golden/", import.meta.url));

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

const newModel = {
  config: pico,
  weights: picoWeights(),
  preprocess: clipPreprocess(8),
  tokenizerJson: '{"any": "text"}',
  metadata: { seed: "7" },
  readme: "# pico\n",
};

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-checkpoint-"));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true, force: true });
});

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

/** A lone file in OpenAI's layout, alternating dtypes, with an integer buffer and a mask. */
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
  const buffer = {
    name: "input_resolution",
    dtype: "I64" as const,
    shape: [],
    data: () => Buffer.of(8, 0, 0, 0, 0, 0, 0, 0),
  };
  const length = pico.text.contextLength;
  const mask = {
    name: "attn_mask",
    dtype: "F32" as const,
    shape: [length, length],
    data: () =>
      tensor(
        [length, length],
        Float32Array.from({ length: length ** 2 }, (_, i) => (i % length > Math.floor(i / length) ? -1 / 0 : 0)),
      ),
  };
  await writeSafetensors(path, { tensors: [...tensors, buffer, mask], metadata: new Map([["note", "kept"]]) });
}

describe("Hugging Face folders", () => {
  const write = (name: string, dtype: "F32" | "F16" | "BF16") =>
    writeNewCheckpoint(join(folder, name), { ...newModel, dtype });

  test.each(["F32", "F16", "BF16"] as const)("a new folder in %s is read as it was given", async (dtype) => {
    await write("new", dtype);
    const checkpoint = await readCheckpoint(join(folder, "new"));
    expect(checkpoint.layout).toBe("hf");
    expect(checkpoint.config).toEqual({ ...pico, text: { ...pico.text, eosTokenId: 2, bosTokenId: 0 } });
    expect(checkpoint.preprocess).toEqual(clipPreprocess(8));
    expect(checkpoint.metadata).toEqual({ format: "pt", seed: "7" });
    expect(new Set(checkpoint.dtypes.values())).toEqual(new Set([dtype]));
    expect(existsSync(join(folder, "new", "tokenizer.json"))).toBe(true);
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

describe("settings beside the weights", () => {
  const preprocessOf = async (files: Record<string, object>) => {
    await writeNewCheckpoint(join(folder, "new"), { ...newModel, dtype: "F16" });
    await rm(join(folder, "new/preprocessor_config.json"));
    for (const [name, json] of Object.entries(files)) await writeFile(join(folder, "new", name), JSON.stringify(json));
    return (await readCheckpoint(join(folder, "new"))).preprocess;
  };

  test("transformers 5: image_processor of processor_config.json counts before preprocessor_config.json", async () => {
    const files = {
      "processor_config.json": { image_processor: { size: 9, crop_size: 8 } },
      "preprocessor_config.json": { size: 10, crop_size: 8 },
    };
    expect((await preprocessOf(files)).resize).toEqual({ mode: "shortest", size: 9 });
  });

  test("transformers 4: processor_config.json says nothing about images", async () => {
    const files = {
      "processor_config.json": { processor_class: "CLIPProcessor" },
      "preprocessor_config.json": { size: 10, crop_size: 8 },
    };
    expect((await preprocessOf(files)).resize).toEqual({ mode: "shortest", size: 10 });
  });

  test("neither: CLIP's, at the model's image size, and that it is assumed is said", async () => {
    expect(await preprocessOf({})).toEqual(clipPreprocess(8));
    expect((await readCheckpoint(join(folder, "new"))).assumptions).toEqual([
      "no preprocessor_config.json says how images become pixels: shorter side to 8, bicubic, middle 8 x 8",
    ]);
    await writeFile(join(folder, "new", "preprocessor_config.json"), "{}");
    expect((await readCheckpoint(join(folder, "new"))).assumptions).toEqual([]);
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
    expect(like.extras.toSorted()).toEqual(["attn_mask", "input_resolution"]);
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

describe("files of other tools", () => {
  /** The OpenAI file with its tensors renamed, left out (undefined) or changed. */
  async function rewrite(
    change: (source: TensorSource) => TensorSource | undefined,
    metadata = new Map(),
  ): Promise<string> {
    const path = join(folder, "changed.safetensors");
    await writeOpenai(join(folder, "clip.safetensors"), picoWeights());
    const file = await openSafetensors(join(folder, "clip.safetensors"));
    const tensors = [...file.tensors].flatMap(([name, { dtype, shape }]) => {
      return change({ name, dtype, shape, data: () => file.readRaw(name) }) ?? [];
    });
    await writeSafetensors(path, { tensors, metadata });
    await file.close();
    return path;
  }

  test("open_clip's CustomTextCLIP (text. before the text tower) and DataParallel (module. before all)", async () => {
    const text = (name: string) => (/^(visual|logit_scale)/.test(name) ? name : `text.${name}`);
    for (const rename of [text, (name: string) => `module.${name}`, (name: string) => `module.${text(name)}`]) {
      const like = await readCheckpoint(await rewrite((source) => ({ ...source, name: rename(source.name) })));
      expect(bits(await like.weights())).toEqual(bits(picoWeights()));
      await writeCheckpoint(join(folder, "copy.safetensors"), { like, weights: await like.weights() });
      expect(await tensorBytes(join(folder, "copy.safetensors"))).toEqual(await tensorBytes(like.weightsFile));
      await rm(folder, { recursive: true });
      await mkdir(folder);
    }
  });

  test("position_ids of old Hugging Face files are kept and no parameters", async () => {
    await writeNewCheckpoint(join(folder, "new"), { ...newModel, dtype: "F16" });
    const weights = await openSafetensors(join(folder, "new/model.safetensors"));
    const ids = { name: "text_model.embeddings.position_ids", dtype: "I64" as const, shape: [1, 5] };
    const path = join(folder, "old.safetensors");
    await writeSafetensors(path, {
      tensors: [
        { ...ids, data: () => new Uint8Array(BigInt64Array.of(0n, 1n, 2n, 3n, 4n).buffer) },
        ...[...weights.tensors].map(([name, entry]) => ({ ...entry, name, data: () => weights.readRaw(name) })),
      ],
    });
    await weights.close();
    const like = await readCheckpoint(path);
    expect(like.extras).toEqual([ids.name]);
    expect(like.config).toEqual(pico); // no config.json beside it: inferred
    await writeCheckpoint(join(folder, "copy.safetensors"), { like, weights: await like.weights() });
    expect(await readFile(join(folder, "copy.safetensors"))).toEqual(await readFile(path));
  });

  const poisoned = (value: number) => (source: TensorSource) =>
    source.name === "visual.proj"
      ? { ...source, dtype: "F32" as const, data: () => tensor([64, 6], Array(384).fill(value)) }
      : source;

  test.each([Number.NaN, Number.POSITIVE_INFINITY])("weights with %s are refused, naming the tensor", async (value) => {
    const checkpoint = await readCheckpoint(await rewrite(poisoned(value)));
    const message = `tensor visual.proj holds ${value} (value 0)`;
    await expect(checkpoint.weights()).rejects.toMatchObject({
      code: "bad-input",
      message: expect.stringContaining(message),
    });
    await expect(checkpoint.tensor("visual_projection.weight")).rejects.toThrow(message);
    expect((await checkpoint.tensor("logit_scale")).shape).toEqual([]);
  });

  const block = "visual.transformer.resblocks.1.attn.in_proj_weight";
  test.each<[string, (source: TensorSource) => TensorSource | undefined, RegExp]>([
    [
      "a missing tensor",
      (s) => (s.name === block ? undefined : s),
      /lacks 1 tensors: visual.transformer.resblocks.1.attn.in_proj_w/,
    ],
    [
      "a wrong shape",
      (s) => (s.name === block ? { ...s, shape: [96, 128] } : s),
      /1.attn.in_proj_weight has shape \[96,128\], .* \[192,64\]/,
    ],
    [
      "a projection of rank 1",
      (s) => (s.name === "visual.proj" ? { ...s, shape: [384] } : s),
      /visual.proj has the impossible shape \[384\]/,
    ],
    [
      "a scalar as matrix",
      (s) => (s.name === "logit_scale" ? { ...s, shape: [1, 1] } : s),
      /logit_scale has shape \[1,1\], .* asks for \[\]/,
    ],
    [
      "integers as weights",
      (s) => (s.name === "ln_final.bias" ? { ...s, dtype: "I16" } : s),
      /ln_final.bias is stored as I16; supported: F32/,
    ],
    [
      "a ResNet without its stem",
      (s) => ({ ...s, name: s.name.replace("visual.conv1.", "visual.layer1.0.conv1.") }),
      /vision_model.embeddings.patch_embedding.weight is missing/,
    ],
    ["a timm tower", (s) => ({ ...s, name: s.name.replace("visual.", "visual.trunk.") }), /has a timm image tower/],
    [
      "CoCa",
      (s) => ({ ...s, name: s.name.replace(/^transformer\./, "text_decoder.") }),
      /is a CoCa model, not supported; give a CLIP/,
    ],
    ["no CLIP at all", (s) => ({ ...s, name: `bert_${s.name}` }), /is no CLIP model: its tensors are named bert_/],
  ])("refused with exit code 2: %s", async (_, change, message) => {
    const path = await rewrite(change);
    await expect(readCheckpoint(path)).rejects.toThrow(message);
    await expect(readCheckpoint(path)).rejects.toMatchObject({ code: "bad-input" });
  });

  test.each([
    ["more layers", 1, /has more layers than its config: there is a visual.transformer.resblocks.1.ln_1.weight/],
    ["fewer layers", 3, /has fewer layers than its config: there is no vision_model.encoder.layers.2/],
  ])("a file with %s than its config says", async (_, layers, message) => {
    const path = await rewrite((source) => source);
    const model_cfg = { embed_dim: 6, vision_cfg: { layers }, text_cfg: { layers: 1 } };
    await writeFile(join(folder, "open_clip_config.json"), JSON.stringify({ model_cfg }));
    await expect(readCheckpoint(path)).rejects.toThrow(message);
  });

  test("heads come from the config where there is one", async () => {
    const path = await rewrite((source) => source);
    const vision_cfg = { image_size: 8, patch_size: 4, width: 64, layers: 2, head_width: 16, mlp_ratio: 10 / 64 };
    const text_cfg = { context_length: 5, vocab_size: 11, width: 64, layers: 1, heads: 2, mlp_ratio: 12 / 64 };
    const json = { model_cfg: { embed_dim: 6, vision_cfg, text_cfg }, preprocess_cfg: { interpolation: "bilinear" } };
    await writeFile(join(folder, "open_clip_config.json"), JSON.stringify(json));
    const { config, preprocess } = await readCheckpoint(path);
    expect(config).toMatchObject({ vision: { heads: 4, activation: "gelu" }, text: { heads: 2 } });
    expect(preprocess).toEqual({ ...clipPreprocess(8, "torchvision"), filter: "bilinear" });
  });
});

describe("bad input leaves nothing behind", () => {
  const out = () => join(folder, "out");
  const like = async () => {
    await writeNewCheckpoint(join(folder, "new"), { ...newModel, dtype: "F16" });
    return readCheckpoint(join(folder, "new"));
  };

  test.each<[string, [string, Tensor], RegExp]>([
    ["a NaN", ["logit_scale", tensor([], [Number.NaN])], /new weights: tensor logit_scale holds NaN/],
    ["a wrong shape", ["logit_scale", tensor([1], [1])], /logit_scale has shape \[1\], the config asks for \[\]/],
    ["an unknown name", ["logit_scal", tensor([], [1])], /unknown parameter "logit_scal"; did you mean "logit_scale"/],
    [
      "a value too large for F16",
      ["logit_scale", tensor([], [1e6])],
      /tensor logit_scale holds 1000000, too large for F16/,
    ],
  ])("new weights with %s", async (_, [name, value], message) => {
    const weights = new Map([[name, value]]);
    const source = await like();
    await expect(writeCheckpoint(out(), { like: source, weights })).rejects.toThrow(message);
    await expect(writeCheckpoint(out(), { like: source, weights })).rejects.toMatchObject({ code: "bad-input" });
    expect(await readdir(folder)).toEqual(["new"]);
  });

  test("a new model with a parameter missing", async () => {
    const weights = picoWeights();
    weights.delete("logit_scale");
    const writing = writeNewCheckpoint(out(), { ...newModel, weights, dtype: "F32" });
    await expect(writing).rejects.toThrow("the new model lacks logit_scale");
    expect(await readdir(folder)).toEqual([]);
  });

  test("an output that exists is refused; force replaces it, even when it is the source itself", async () => {
    const source = await like();
    const weights = new Map([["logit_scale", tensor([], [3])]]);
    await expect(writeCheckpoint(source.path, { like: source, weights })).rejects.toThrow("exists already");
    await rm(join(source.path, "README.md"));
    await writeCheckpoint(source.path, { like: source, weights }, { force: true });
    expect(bits(await (await readCheckpoint(source.path)).weights())).toEqual(
      bits(picoWeights().set("logit_scale", tensor([], [3]))),
    );
    expect(await readdir(folder)).toEqual(["new"]);
  });

  test("a disk that fills up in the middle of a folder", async () => {
    const source = await like();
    const probe = await open(source.weightsFile);
    const write = vi.spyOn(Object.getPrototypeOf(probe), "writeFile");
    await probe.close();
    const enough = 30; // the JSON files, the header, some tensors
    for (let i = 0; i < enough; i++) write.mockImplementationOnce(async () => {});
    write.mockRejectedValueOnce(Object.assign(new Error("injected"), { code: "ENOSPC" }));
    const writing = writeCheckpoint(out(), { like: source, weights: new Map() });
    await expect(writing).rejects.toThrow(`cannot write ${out()}/model.safetensors: the disk is full`);
    expect(write).toHaveBeenCalledTimes(enough + 1);
    expect(await readdir(folder)).toEqual(["new"]);
  });

  test("a source whose header changed since it was opened", async () => {
    const source = await like();
    await writeNewCheckpoint(source.path, { ...newModel, dtype: "F32" }, { force: true });
    await expect(source.weights()).rejects.toThrow("changed since it was opened");
    await expect(writeCheckpoint(out(), { like: source, weights: new Map() })).rejects.toThrow("changed since");
    expect(await readdir(folder)).toEqual(["new"]);
  });

  test.each<[string, string | undefined, RegExp]>([
    ["nothing there", undefined, /there is no file or folder/],
    ["an empty folder", "readme.txt", /has no model.safetensors or .*; found no weights/],
    ["an empty index of shards", "model.safetensors.index.json", /model.safetensors.index.json is not JSON/],
    ["a pickle of another name", "epoch_10.pt", /found epoch_10.pt; name the one that you mean/],
    ["an empty .bin", "pytorch_model.bin", /pytorch_model.bin holds no weights that tbar reads; known: .safetensors/],
  ])("no checkpoint: %s", async (_, name, message) => {
    if (name !== undefined) {
      await mkdir(out());
      await writeFile(join(out(), name), "");
    }
    await expect(readCheckpoint(out())).rejects.toThrow(message);
    await expect(readCheckpoint(out())).rejects.toMatchObject({ code: "bad-input" });
  });

  test("a lone file is not written under a pickle's name: nobody could load it", async () => {
    const { weightsFile } = await like();
    const lone = await readCheckpoint(weightsFile);
    const writing = writeCheckpoint(`${out()}.pt`, { like: lone, weights: new Map() });
    await expect(writing).rejects.toThrow("weights are written as safetensors, never as a pickle");
    expect(await readdir(folder)).toEqual(["new"]);
  });

  test("broken JSON beside the weights is named", async () => {
    const source = await like();
    await writeFile(join(source.path, "config.json"), "{");
    await expect(readCheckpoint(source.path)).rejects.toThrow(`${join(source.path, "config.json")} is not JSON`);
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
