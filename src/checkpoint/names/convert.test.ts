import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { picoConfig as pico } from "../../../test/pico-config.ts";
import { sizeOf, type Tensor, tensor } from "../../tensor/tensor.ts";
import { readCheckpoint } from "../clip-folder.ts";
import { type ClipConfig, parameterShapes } from "../config/config.ts";
import { clipPreprocess } from "../config/preprocess.ts";
import { openWeights } from "../formats/open-weights.ts";
import { writeSafetensors } from "../formats/safetensors.ts";
import type { Dtype } from "../formats/safetensors-header.ts";
import { writeNewCheckpoint } from "../new-checkpoint.ts";
import { convertCheckpoint } from "./convert.ts";
import type { KeyStyle } from "./key-styles.ts";

const golden = process.env.TBAR_GOLDEN ?? "../shared/golden";
const vit = join(golden, "clip-tiny-vit");
const resnet = join(golden, "clip-tiny-resnet");

let folder: string;
const at = (name: string) => join(folder, name);
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-convert-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** Every value of the model another, so that no two can be mistaken. */
function weightsOf(config: ClipConfig): Map<string, Tensor> {
  let n = 0;
  const next = () => ((n++ % 251) - 125) / 64;
  return new Map(
    [...parameterShapes(config)].map(([name, shape]) => [
      name,
      tensor(shape, Array.from({ length: sizeOf(shape) }, next)),
    ]),
  );
}

async function write(name: string, config: ClipConfig = pico, dtype: "F32" | "F16" | "BF16" = "F16") {
  const preprocess = clipPreprocess(config.vision.imageSize);
  const model = { config, weights: weightsOf(config), dtype, preprocess, tokenizerJson: '{"any": "text"}' };
  await writeNewCheckpoint(at(name), model);
  return readCheckpoint(at(name));
}

async function convert(from: string, to: KeyStyle, out: string) {
  return convertCheckpoint(await readCheckpoint(from), to, at(out));
}

async function bytesByName(path: string): Promise<Map<string, string>> {
  const { weightsFile } = await readCheckpoint(path);
  const file = await openWeights(weightsFile);
  const found = new Map<string, string>();
  for (const [name, { dtype, shape }] of file.tensors) {
    const bytes = Buffer.from(await file.readRaw(name)).toString("base64");
    found.set(name, `${dtype} [${shape}] ${bytes}`);
  }
  await file.close();
  return found;
}

describe("every way and back gives the same file", () => {
  test.each<["F32" | "F16" | "BF16", KeyStyle[]]>([
    ["F32", ["openai", "hf"]],
    ["F16", ["open_clip-text", "hf"]],
    ["BF16", ["openai", "open_clip-text", "hf"]],
    ["F16", ["open_clip-text", "openai", "hf"]],
  ])("%s, hf -> %j", async (dtype, ways) => {
    let from = (await write("start", pico, dtype)).path;
    for (const [i, to] of ways.entries()) {
      const { leftOut } = await convert(from, to, `step${i}`);
      expect(leftOut).toEqual([]);
      from = at(`step${i}`);
      const { config } = await readCheckpoint(from);
      expect(config).toMatchObject(pico);
      expect(await readFile(join(from, "tokenizer.json"), "utf8")).toBe('{"any": "text"}');
    }
    expect(await readFile(join(from, "model.safetensors"))).toEqual(await readFile(at("start/model.safetensors")));
  });

  test("the parameters are the same on the way", async () => {
    const start = await write("start");
    await convert(start.path, "open_clip-text", "openai");
    const there = await readCheckpoint(at("openai"));
    expect([...there.tensors.keys()].filter((name) => !/^(visual\.|text\.|logit_scale$)/.test(name))).toEqual([]);
    const [a, b] = [await start.weights(), await there.weights()];
    for (const [name, value] of a) expect(b.get(name), name).toEqual(value);
  });
});

describe("what a format cannot say is refused by name", () => {
  test.each<[string, ClipConfig, KeyStyle, string, RegExp]>([
    [
      "an epsilon in open_clip",
      { ...pico, vision: { ...pico.vision, eps: 1e-6 } },
      "openai",
      "out",
      /open_clip's config cannot say its vision eps \(0.000001\)/,
    ],
    [
      "two activations in open_clip",
      { ...pico, vision: { ...pico.vision, activation: "gelu" } },
      "openai",
      "out",
      /cannot say its vision activation \("gelu"\)/,
    ],
    [
      "an end token in the middle in open_clip",
      { ...pico, text: { ...pico.text, pooling: "first-eos", eosTokenId: 7 } },
      "openai",
      "out",
      /cannot say its text pooling \("first-eos"\)/,
    ],
    [
      "GELU in a lone file",
      { ...pico, vision: { ...pico.vision, activation: "gelu" } },
      "openai",
      "out.safetensors",
      /shapes alone do not tell its vision activation \("gelu"\); give a folder as --out/,
    ],
    [
      "heads of 32 in a lone file",
      { ...pico, vision: { ...pico.vision, heads: 2 } },
      "hf",
      "out.safetensors",
      /shapes alone do not tell its vision heads \(2\)/,
    ],
    [
      "heads of a width of 48 in a lone file",
      { ...pico, text: { ...pico.text, width: 48 } },
      "hf",
      "out.safetensors",
      /shapes alone do not tell the heads of its attention/,
    ],
    ["a pickle", pico, "openai", "out.pt", /never as a pickle/],
  ])("%s", async (_, config, to, out, message) => {
    const { path } = await write("start", config);
    await expect(convert(path, to, out)).rejects.toThrow(message);
    await expect(convert(path, to, out)).rejects.toMatchObject({ code: "bad-input" });
    expect(existsSync(at(out))).toBe(false);
  });

  test("q, k and v of two dtypes cannot become one tensor", async () => {
    const start = await write("start", pico, "F32");
    const file = await openWeights(start.weightsFile);
    const tensors = [...file.tensors].map(([name, { dtype, shape }]) => {
      if (!name.endsWith("0.self_attn.k_proj.bias")) return { name, dtype, shape, data: () => file.readRaw(name) };
      return { name, dtype: "F16" as Dtype, shape, data: () => file.read(name) };
    });
    await writeSafetensors(at("mixed.safetensors"), { tensors });
    await file.close();
    await expect(convert(at("mixed.safetensors"), "openai", "out")).rejects.toThrow("are stored as F32 and F16");
  });

  test("heads and widths of any size fit a folder", async () => {
    const vision = { ...pico.vision, heads: 4, mlpWidth: 199 };
    const config: ClipConfig = { ...pico, vision, text: { ...pico.text, width: 48, heads: 3, mlpWidth: 101 } };
    const { path } = await write("start", config);
    await convert(path, "openai", "out");
    expect((await readCheckpoint(at("out"))).config).toEqual(config);
  });
});

test("open_clip's own config goes along, custom_text as the keys need it", async () => {
  const { path } = await write("start");
  await convert(path, "openai", "a");
  const json = JSON.parse(await readFile(at("a/open_clip_config.json"), "utf8"));
  const kept = { ...json, model_cfg: { ...json.model_cfg, init_logit_bias: -10 } };
  await writeFile(at("a/open_clip_config.json"), JSON.stringify(kept));
  await convert(at("a"), "open_clip-text", "b");
  expect(JSON.parse(await readFile(at("b/open_clip_config.json"), "utf8"))).toMatchObject({
    model_cfg: { custom_text: true, init_logit_bias: -10 },
  });
  await convert(at("b"), "openai", "c");
  expect(JSON.parse(await readFile(at("c/open_clip_config.json"), "utf8"))).toEqual(kept);
});

describe.skipIf(!existsSync(vit))("golden clip-tiny-vit (in ../shared)", () => {
  const openai = join(vit, "open_clip_model.safetensors");

  test("its Hugging Face file becomes its OpenAI file, and the other way round, bit for bit", async () => {
    await convert(vit, "openai", "openai");
    expect(await bytesByName(at("openai"))).toEqual(await bytesByName(openai));
    await convert(openai, "hf", "hf");
    expect(await bytesByName(at("hf"))).toEqual(await bytesByName(vit));
  });

  test("its TorchScript archive becomes what its training checkpoint becomes", async () => {
    const { leftOut } = await convert(join(vit, "torchscript.pt"), "hf", "a");
    expect(leftOut).toEqual(["attn_mask", "input_resolution", "context_length", "vocab_size"]);
    await convert(join(vit, "training_checkpoint.pt"), "hf", "b");
    expect(await bytesByName(at("a"))).toEqual(await bytesByName(at("b")));
    expect(await convert(join(vit, "torchscript.pt"), "openai", "c")).toMatchObject({ tensors: 74, leftOut });
  });
});

describe.skipIf(!existsSync(resnet))("golden clip-tiny-resnet (in ../shared)", () => {
  test("a ResNet has no Hugging Face form", async () => {
    await expect(convert(resnet, "hf", "hf")).rejects.toThrow("is a CLIP ResNet, which has no Hugging Face form");
  });

  test("with text. and back, its counters of batches going along", async () => {
    await convert(join(resnet, "training_checkpoint.pt"), "open_clip-text", "a");
    await convert(at("a"), "openai", "b");
    const found = await bytesByName(at("b"));
    expect(found.has("visual.bn1.num_batches_tracked")).toBe(true);
    expect(found).toEqual(await bytesByName(join(resnet, "open_clip_model.safetensors")));
  });
});
