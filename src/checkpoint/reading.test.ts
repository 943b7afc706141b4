/** What a checkpoint is read as where it leaves something open: prefixes, buffers, strangers, an activation that nobody states. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { layouts, type Model, withModel } from "../../test/strict/layouts.ts";
import { pickle, push, tensorOpcodes, torchFile } from "../../test/torch.ts";
import { matchesGlob } from "./../files/glob.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type Checkpoint, readCheckpoint } from "./clip-folder.ts";
import { openSafetensors, type TensorSource, writeSafetensors } from "./formats/safetensors.ts";
import type { Dtype } from "./formats/safetensors-header.ts";
import { convertCheckpoint } from "./names/convert.ts";
import { findPrefix } from "./names/prefix.ts";
import { writeCheckpoint } from "./write-checkpoint.ts";

const named = (layout: string): Model => layouts.find((model) => model.layout === layout) as Model;
const hf = named("Hugging Face's CLIP");
const openClip = named("open_clip");
const resnet = named("a ResNet");
const lone = named("a lone file of OpenAI's names");

const raw = (name: string, dtype: Dtype, shape: readonly number[], values: ArrayBufferView): TensorSource => ({
  name,
  dtype,
  shape,
  data: () => new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
});
const floats = (name: string, ...values: number[]) => raw(name, "F32", [values.length], Float32Array.from(values));
const integers = (name: string, shape: readonly number[], ...values: number[]) =>
  raw(name, "I64", shape, BigInt64Array.from(values, BigInt));
const renamed = (model: Model, rename: (name: string) => string): Model => ({
  ...model,
  tensors: model.tensors.map((tensor) => ({ ...tensor, name: rename(tensor.name) })),
});
const plus = (model: Model, ...more: TensorSource[]): Model => ({ ...model, tensors: [...model.tensors, ...more] });

/** What is assumed besides the pixels, of which these models say nothing. */
const ofWeights = ({ assumptions }: Checkpoint) => assumptions.filter((text) => !text.includes("become pixels"));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-reading-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("one prefix before all names", () => {
  const prefixes = ["module.", "_orig_mod.", "module._orig_mod.", "model.", "clip_model.", "state_dict.", "a.b-c.d."];
  test.each(prefixes)("%s is taken off, said and written back", async (prefix) => {
    for (const model of [hf, openClip, named("open_clip, text. before the text tower"), resnet]) {
      await withModel(
        renamed(model, (name) => prefix + name),
        async (path) => {
          const like = await readCheckpoint(path);
          expect(like.prefix).toBe(prefix);
          expect(ofWeights(like)).toEqual([`the prefix "${prefix}" is taken off its tensors' names`]);
          const weights = await like.weights();
          const plain = await withModel(model, async (path) => (await readCheckpoint(path)).weights());
          expect([...weights.keys()].sort()).toEqual([...plain.keys()].sort());
          const out = join(folder, "out");
          await writeCheckpoint(out, { like, weights });
          expect([...(await readCheckpoint(out)).tensors.keys()]).toEqual([...like.tensors.keys()]);
          await rm(out, { recursive: true });
        },
      );
    }
  });

  test("converting leaves it behind", async () => {
    await withModel(
      renamed(openClip, (name) => `_orig_mod.${name}`),
      async (path) => {
        await convertCheckpoint(await readCheckpoint(path), "openai", join(folder, "out"));
      },
    );
    const out = await readCheckpoint(join(folder, "out"));
    expect([...out.tensors.keys()].sort()).toEqual(openClip.tensors.map(({ name }) => name).sort());
  });

  test("a tensor without it is a stranger", async () => {
    const model = plus(
      renamed(hf, (name) => `module.${name}`),
      floats("loss.weight", 1),
    );
    await withModel(model, async (path) => {
      await expect(readCheckpoint(path)).rejects.toThrow('known buffers: "loss.weight" F32 [1]');
    });
  });

  test("two are two models: refused with their names, and one can be chosen", async () => {
    const both = plus(
      renamed(hf, (name) => `student.${name}`),
      ...renamed(hf, (name) => `teacher.${name}`).tensors,
    );
    await withModel(both, async (path) => {
      await expect(readCheckpoint(path)).rejects.toThrow(
        'holds 2 models, their tensors named "student."... and "teacher."...; say which with --prefix NAME',
      );
      const { prefix, ignored } = await readCheckpoint(path, { prefix: "teacher" });
      expect(prefix).toBe("teacher.");
      expect(ignored.length).toBe(hf.tensors.length);
      expect(ignored.every((name) => name.startsWith("student."))).toBe(true);
      await expect(readCheckpoint(path, { prefix: "ema" })).rejects.toThrow(
        'there are "student."... and "teacher."...',
      );
    });
    const ema = plus(openClip, ...renamed(openClip, (name) => `ema.${name}`).tensors);
    await withModel(ema, async (path) => {
      await expect(readCheckpoint(path)).rejects.toThrow(
        'holds 2 models, their tensors named "ema."... and without a prefix',
      );
    });
  });

  test("no prefix ends in the middle of a word", () => {
    expect(findPrefix(["mymodelvisual.conv1.weight", "mymodelvisual.class_embedding"], "f")).toBe("");
    expect(findPrefix(["m.visual.conv1.weight", "m.visual.class_embedding"], "f")).toBe("m.");
  });
});

describe("buffers that programs leave", () => {
  const mask = (top: number) => [
    0,
    top,
    top,
    top,
    top,
    0,
    0,
    top,
    top,
    top,
    0,
    0,
    0,
    top,
    top,
    0,
    0,
    0,
    0,
    top,
    0,
    0,
    0,
    0,
    0,
  ];
  const square = (name: string, values: number[]) => raw(name, "F32", [5, 5], Float32Array.from(values));
  test.each<[string, Model, TensorSource]>([
    ["position ids of the text", hf, integers("text_model.embeddings.position_ids", [1, 5], 0, 1, 2, 3, 4)],
    ["position ids of the image", hf, integers("vision_model.embeddings.position_ids", [1, 5], 0, 1, 2, 3, 4)],
    ["a causal mask", openClip, square("attn_mask", mask(Number.NEGATIVE_INFINITY))],
    ["a causal mask as half precision has it", openClip, square("attn_mask", mask(-65504))],
    ["the context length", openClip, integers("context_length", [], 5)],
    ["the image size", openClip, integers("input_resolution", [], 8)],
    ["the vocabulary's size", openClip, floats("vocab_size", 11)],
    ["batches counted", resnet, integers("visual.layer2.0.bn1.num_batches_tracked", [], 12345)],
    ["a bias on all logits", openClip, floats("logit_bias", -10)],
  ])("%s", async (_, model, buffer) => {
    await withModel(plus(model, buffer), async (path) => {
      const like = await readCheckpoint(path);
      expect(like.extras).toEqual([buffer.name]);
      expect(like.assumptions.some((text) => text.includes("logit_bias"))).toBe(buffer.name === "logit_bias");
      await writeCheckpoint(join(folder, "out"), { like: { ...like, path: folder }, weights: new Map() });
      expect([...(await readCheckpoint(join(folder, "out"))).tensors.keys()]).toEqual([...like.tensors.keys()]);
    });
  });

  test.each<[string, Model, TensorSource, string]>([
    [
      "too many positions",
      hf,
      integers("text_model.embeddings.position_ids", [1, 6], 0, 1, 2, 3, 4, 5),
      "of another shape than [1, 5] or [5]",
    ],
    [
      "other positions",
      hf,
      integers("text_model.embeddings.position_ids", [1, 5], 0, 1, 2, 2, 4),
      "its value 3 is 2, which no program writes",
    ],
    ["a mask that hides nothing", openClip, square("attn_mask", mask(0)), "its value 1 is 0"],
    ["a mask that hides a bit less", openClip, square("attn_mask", mask(-3)), "its value 1 is -3"],
    ["another context length", openClip, integers("context_length", [], 77), "its value 0 is 77"],
    [
      "positions as floats",
      hf,
      raw("text_model.embeddings.position_ids", "F32", [1, 5], Float32Array.of(0, 1, 2, 3, 4)),
      "not stored as I64, I32",
    ],
    [
      "batches of no normalisation",
      resnet,
      integers("visual.layer9.0.bn1.num_batches_tracked", [], 1),
      "a buffer where this model has none",
    ],
    ["OpenAI's in Hugging Face's", hf, integers("context_length", [], 5), "neither parameters"],
  ])("%s: refused", async (_, model, buffer, why) => {
    await withModel(plus(model, buffer), async (path) => {
      await expect(readCheckpoint(path)).rejects.toThrow(
        `"${buffer.name}" ${buffer.dtype} [${buffer.shape.join(", ")}]`,
      );
      await expect(readCheckpoint(path)).rejects.toThrow(why);
    });
  });
});

describe("strangers", () => {
  test.each([
    ["vision_model.encoder.layers.0.self_attn.q_proj.lora_A.default.weight", "LoRA or another adapter"],
    ["visual_projection.bias", "the bias of a projection"],
    ["vision_model.embeddings.VPT", "learned prompt tokens"],
    ["Text_projection.weight", 'a misspelling of "text_projection.weight"'],
    ["text_projection.weight ", 'a misspelling of "text_projection.weight"'],
    ["vision_model.encoder.layers.0.ls1.gamma", "an option of open_clip's blocks"],
    ["ema_decay", "the state of a training, or a second model"],
  ])("%s is refused, and said to look like what it is", async (name, look) => {
    await withModel(plus(hf, floats(name, 1, 2)), async (path) => {
      await expect(readCheckpoint(path)).rejects.toThrow(`it looks like ${look}`);
      await expect(readCheckpoint(path)).rejects.toThrow("to go on without them: --ignore-tensors PATTERN");
    });
  });

  test("passed over knowingly, they are named and not written", async () => {
    const model = plus(hf, floats("head.weight", 1), floats("head.bias", 2), floats("visual_projection.bias", 3));
    await withModel(model, async (path) => {
      await expect(readCheckpoint(path, { ignoreTensors: ["head.*"] })).rejects.toThrow('"visual_projection.bias" F32');
      const like = await readCheckpoint(path, { ignoreTensors: ["head.*", "visual_projection.bia?"] });
      expect([...like.ignored].sort()).toEqual(["head.bias", "head.weight", "visual_projection.bias"]);
      await writeCheckpoint(join(folder, "out"), { like, weights: new Map() });
      const out = await readCheckpoint(join(folder, "out"));
      expect([...out.tensors.keys()].sort()).toEqual(hf.tensors.map(({ name }) => name).sort());
    });
  });

  test("a name of many, and of megabytes, makes no long message", async () => {
    const many = Array.from({ length: 300 }, (_, i) => floats(`x${i}`, i));
    await withModel(plus(hf, ...many, floats("y".repeat(2 ** 20), 1)), async (path) => {
      const message = await readCheckpoint(path).catch((error: Error) => error.message);
      expect(message).toContain("(301 in all)");
      expect(String(message).length).toBeLessThan(1200);
    });
  });

  test.each<[string, string, boolean]>([
    ["a*c", "abbbc", true],
    ["a*c", "abbbcd", false],
    ["*", "", true],
    ["?", "", false],
    ["*.lora_?.*", "x.lora_A.default.weight", true],
    ["a.b", "axb", false],
    ["*a*b*c", "xxaxxbxxcxxc", true],
  ])("pattern %s on %j: %s", (pattern, name, expected) => {
    expect(matchesGlob(name, pattern)).toBe(expected);
  });
});

describe("what no config states", () => {
  test("a lone file: sizes and assumptions are said, and an activation can be given", async () => {
    await withModel(lone, async (path) => {
      const assumed = await readCheckpoint(path);
      expect(assumed.config.text.activation).toBe("quick_gelu");
      expect(assumed.assumptions.join()).toContain(
        "QuickGELU, heads of 64 channels and LayerNorm's epsilon 0.00001 are assumed",
      );
      const { config, assumptions } = await readCheckpoint(path, { activation: "gelu" });
      expect(config).toMatchObject({ vision: { activation: "gelu" }, text: { activation: "gelu" } });
      expect(assumptions.join()).toContain("GELU is as --activation says, heads of 64 channels");
    });
  });

  test("a config that says another activation is not overruled: what is written would have it beside it", async () => {
    await withModel(hf, async (path) => {
      expect(ofWeights(await readCheckpoint(path, { activation: "quick_gelu" }))).toEqual([]);
      await expect(readCheckpoint(path, { activation: "gelu" })).rejects.toThrow(
        "its config says that the activation is quick_gelu, --activation says gelu",
      );
    });
  });

  test("a config that convert writes records what it assumed, and reading it says so", async () => {
    await withModel(lone, async (path) => {
      await convertCheckpoint(await readCheckpoint(path), "hf", join(folder, "hf"));
      await convertCheckpoint(await readCheckpoint(path), "openai", join(folder, "same.safetensors"));
    });
    const written = await readCheckpoint(join(folder, "hf"));
    expect(written.assumptions.join()).toMatch(/^when it was converted, no config beside the weights: .* QuickGELU/);
    await convertCheckpoint(written, "open_clip", join(folder, "oc"));
    expect((await readCheckpoint(join(folder, "oc"))).assumptions.join()).toMatch(/^when it was converted, no config/);
    const file = await openSafetensors(join(folder, "same.safetensors"));
    expect([...file.metadata.keys()]).toEqual(["format"]); // no config is written beside a lone file
    await file.close();
  });

  test("a logit scale of shape [1], and pairs of equal sizes, are read and written as they came", async () => {
    for (const model of [hf, openClip, named("Hugging Face's SigLIP")]) {
      const other = {
        ...model,
        tensors: model.tensors.map((tensor) =>
          /^logit_(scale|bias)$/.test(tensor.name)
            ? raw(tensor.name, "F32", tensor.shape.length === 0 ? [1] : [], Float32Array.of(2.5))
            : tensor,
        ),
      };
      await withModel(other, async (path) => {
        const like = await readCheckpoint(path);
        const value = await like.tensor("logit_scale");
        expect([...value.data]).toEqual([2.5]);
        expect(value.shape).toEqual(model.layout.includes("SigLIP") ? [1] : []);
        expect((await like.weights()).get("logit_scale")).toEqual(value);
        await writeCheckpoint(join(folder, "out"), { like, weights: await like.weights() });
        const [a, b] = [
          await readFile(like.weightsFile),
          await readFile((await readCheckpoint(join(folder, "out"))).weightsFile),
        ];
        expect(a.equals(b)).toBe(true);
        await rm(join(folder, "out"), { recursive: true });
      });
    }
    const [[name, json]] = Object.entries(openClip.json) as [string, { model_cfg: { vision_cfg: object } }][];
    const sized = (sizes: object) => {
      const vision_cfg = { ...json.model_cfg.vision_cfg, ...sizes };
      return { ...openClip, json: { [name]: { ...json, model_cfg: { ...json.model_cfg, vision_cfg } } } };
    };
    const pairs = sized({ image_size: [8, 8], patch_size: [4, 4] });
    expect((await withModel(pairs, readCheckpoint)).config.vision).toMatchObject({ imageSize: 8, patchSize: 4 });
    await expect(withModel(sized({ image_size: [8, 16] }), readCheckpoint)).rejects.toThrow("8 x 16 is not square");
  });
});

describe("what is no CLIP is called by its name", () => {
  test.each<[string, (name: string) => boolean, string]>([
    ["an image encoder", (name) => name.startsWith("visual."), "is an image encoder alone: it has no text tower"],
    ["a text encoder", (name) => !name.startsWith("visual."), "is a text encoder alone: it has no image tower"],
  ])("%s", async (_, keep, message) => {
    const model = { ...openClip, tensors: openClip.tensors.filter(({ name }) => keep(name)) };
    await expect(withModel(model, readCheckpoint)).rejects.toThrow(message);
    await expect(
      withModel(
        renamed(model, (name) => `model.${name}`),
        readCheckpoint,
      ),
    ).rejects.toThrow(message);
  });

  test("an adapter, as a folder, beside a model, and as a file", async () => {
    const [folderOf, path] = [join(folder, "adapter"), join(folder, "adapter/adapter_model.safetensors")];
    await mkdir(folderOf);
    const json = { base_model_name_or_path: "some/clip", peft_type: "LORA" };
    await writeFile(join(folderOf, "adapter_config.json"), JSON.stringify(json));
    await writeSafetensors(path, {
      tensors: ["A", "B"].map((end) =>
        floats(`base_model.model.vision_model.encoder.layers.0.q_proj.lora_${end}.weight`, 1),
      ),
    });
    await expect(readCheckpoint(folderOf)).rejects.toThrow('is a LORA adapter of PEFT, made for "some/clip"');
    await expect(readCheckpoint(path)).rejects.toThrow("is a LoRA adapter, which changes a model that is not in it");
    await expect(
      withModel({ ...hf, json: { ...hf.json, "adapter_config.json": json } }, readCheckpoint),
    ).rejects.toThrow("adapter of PEFT");
  });
});

describe("PyTorch: state dicts wherever they are", () => {
  const stored = (model: Model) => {
    const storages: Record<string, Uint8Array> = {};
    const dict = (tag: string, prefix = "") =>
      push.dict(
        Object.fromEntries(
          model.tensors.map(({ name, shape, data }, i) => {
            const key = `${tag}${i}`;
            const { data: values } = data() as Tensor;
            storages[key] = new Uint8Array(values.buffer);
            return [prefix + name, tensorOpcodes({ type: "FloatStorage", key, values: values.length }, shape)];
          }),
        ),
      );
    return { storages, dict };
  };
  async function read(make: (dict: (tag: string, prefix?: string) => Uint8Array) => Uint8Array, prefix?: string) {
    const { storages, dict } = stored(openClip);
    const content = pickle(make(dict));
    await writeFile(join(folder, "model.pt"), torchFile(content, storages));
    await writeFile(join(folder, "open_clip_config.json"), JSON.stringify(openClip.json["open_clip_config.json"]));
    return readCheckpoint(join(folder, "model.pt"), { ...(prefix !== undefined && { prefix }) });
  }
  const one = tensorOpcodes({ type: "FloatStorage", key: "a0", values: 1 }, [1]);

  test.each(["", "state_dict", "model_state_dict", "model"])(
    "as the file's own dict or under %j: nothing to say",
    async (key) => {
      const { assumptions, tensors } = await read((dict) => (key === "" ? dict("a") : push.dict({ [key]: dict("a") })));
      expect(assumptions).toEqual([]);
      expect(tensors.size).toBe(openClip.tensors.length);
    },
  );

  test("under another key, and within one: said", async () => {
    expect((await read((dict) => push.dict({ net: dict("a") }))).assumptions).toEqual([
      'its weights are those under "net"',
    ]);
    const nested = await read((dict) => push.dict({ a: push.dict({ b: dict("a", "module.") }) }));
    expect(nested.assumptions).toEqual([
      'its weights are those under "a.b"',
      'the prefix "module." is taken off its tensors\' names',
    ]);
  });

  test("other tensors beside the state dict are named; an optimizer's are what they say", async () => {
    const { assumptions } = await read((dict) =>
      push.dict({
        state_dict: dict("a"),
        best: one,
        optimizer: push.dict({ state: push.dict({ x: one }) }),
        ema: push.dict({ y: one }),
      }),
    );
    expect(assumptions).toEqual([
      'under "ema", 1 tensors beside its state dict are not used',
      "1 tensors beside its state dict are not used",
    ]);
  });

  test("two state dicts are two models, and one can be chosen", async () => {
    const both = (dict: (tag: string) => Uint8Array) => push.dict({ state_dict: dict("a"), ema_state_dict: dict("b") });
    await expect(read(both)).rejects.toThrow(
      'holds 2 models, their tensors named "state_dict."... and "ema_state_dict."...',
    );
    const { prefix, ignored } = await read(both, "ema_state_dict");
    expect(prefix).toBe("ema_state_dict.");
    expect(ignored.length).toBe(openClip.tensors.length);
  });
});
