import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { readJson } from "../../files/files.ts";
import { configFromHf } from "./hf-config.ts";
import { configToHf } from "./to-hf.ts";

const golden = fileURLToPath(new URL("../../../../shared/golden/", import.meta.url));

describe("config.json of CLIPModel", () => {
  test("the defaults of transformers' CLIPConfig are ViT-B/32", () => {
    expect(configFromHf({ model_type: "clip" })).toEqual({
      embedDim: 512,
      vision: {
        imageSize: 224,
        patchSize: 32,
        width: 768,
        layers: 12,
        heads: 12,
        mlpWidth: 3072,
        activation: "quick_gelu",
        eps: 1e-5,
      },
      text: {
        contextLength: 77,
        vocabSize: 49408,
        width: 512,
        layers: 12,
        heads: 8,
        mlpWidth: 2048,
        activation: "quick_gelu",
        eps: 1e-5,
        pooling: "largest-id",
        eosTokenId: 49407,
        bosTokenId: 49406,
      },
      logitScaleInit: 2.6592,
    });
  });

  test("text_config_dict wins over text_config, and its gaps are defaults, as in transformers", () => {
    const config = configFromHf({
      model_type: "clip",
      projection_dim: 768,
      text_config: { hidden_size: 64, num_attention_heads: 2, eos_token_id: 2, layer_norm_eps: 0.01 },
      text_config_dict: { hidden_size: 768, num_attention_heads: 12, intermediate_size: 3072 },
      vision_config: { hidden_size: 1024, num_attention_heads: 16, num_hidden_layers: 24 },
      vision_config_dict: null,
    });
    expect(config.text).toMatchObject({ width: 768, heads: 12, mlpWidth: 3072, eosTokenId: 49407, eps: 1e-5 });
    expect(config.vision).toMatchObject({ width: 1024, heads: 16, layers: 24 });
  });

  test.each([
    ["the legacy eos 2", 2, 49408, "largest-id"],
    ["eos is the largest id", 49407, 49408, "largest-id"],
    ["the vocabulary goes on after eos", 49407, 49410, "first-eos"],
    ["no eos", null, 49408, "largest-id"],
  ])("pooling: %s", (_, eos_token_id, vocab_size, pooling) => {
    const { text } = configFromHf({ model_type: "clip", text_config: { eos_token_id, vocab_size } });
    expect(text.pooling).toBe(pooling);
  });

  test("image_size as [height, width] is read when square", () => {
    expect(configFromHf({ model_type: "clip", vision_config: { image_size: [96, 96] } }).vision.imageSize).toBe(96);
    const oblong = { model_type: "clip", vision_config: { image_size: [96, 64] } };
    expect(() => configFromHf(oblong, "config.json")).toThrow(
      "config.json: vision_config.image_size: 96 x 64 is not square",
    );
  });

  test.each<[string, unknown, RegExp]>([
    ["BLIP", { model_type: "blip" }, /model_type "blip" is not supported; give a CLIP or SigLIP model/],
    ["SigLIP 2 NaFlex", { model_type: "siglip2" }, /vary in size \(NaFlex\); give a SigLIP 2 of a fixed size/],
    [
      "SigLIP without its head",
      { model_type: "siglip", vision_config: { vision_use_head: false } },
      /vision_use_head: without its pooling head/,
    ],
    [
      "SigLIP towers of two widths",
      { model_type: "siglip", vision_config: { hidden_size: 1536 } },
      /texts are projected to 768, images are 1536 wide/,
    ],
    ["no model_type", {}, /model_type/],
    ["no object", [], /expected object/],
    ["another activation", { model_type: "clip", text_config: { hidden_act: "relu" } }, /text_config.hidden_act/],
    ["a list of eos ids", { model_type: "clip", text_config: { eos_token_id: [1, 2] } }, /text_config.eos_token_id/],
    ["text as a number", { model_type: "clip", vision_config: { hidden_size: "768" } }, /vision_config.hidden_size/],
    ["4 channels", { model_type: "clip", vision_config: { num_channels: 4 } }, /vision_config.num_channels/],
    [
      "endless layers",
      { model_type: "clip", vision_config: { num_hidden_layers: 1e9 } },
      /vision layers is 1000000000; .* 1 to 192/,
    ],
    ["half a layer", { model_type: "clip", text_config: { num_hidden_layers: 0.5 } }, /text layers is 0.5/],
    ["endless width", { model_type: "clip", projection_dim: 1e9 }, /joint width/],
    [
      "heads that do not divide",
      { model_type: "clip", text_config: { num_attention_heads: 7 } },
      /width 512 is not a multiple of its 7/,
    ],
    [
      "patches that do not fill",
      { model_type: "clip", vision_config: { patch_size: 30 } },
      /224 is not a multiple of patch size 30/,
    ],
    ["epsilon 0", { model_type: "clip", vision_config: { layer_norm_eps: 0 } }, /vision LayerNorm epsilon 0/],
    [
      "an eos beyond the vocabulary",
      { model_type: "clip", text_config: { eos_token_id: 50000 } },
      /eos_token_id 50000 is not in/,
    ],
    ["a logit scale that overflows", { model_type: "clip", logit_scale_init_value: 1000 }, /initial logit scale 1000/],
  ])("refused with exit code 2: %s", (_, json, message) => {
    expect(() => configFromHf(json)).toThrow(message);
    expect(() => configFromHf(json)).toThrow(expect.objectContaining({ code: "bad-input" }));
  });

  test("an empty SigLIP config is base-patch16-224; SigLIP 2's vocabulary pads with 0", () => {
    expect(configFromHf({ model_type: "siglip" })).toMatchObject({
      embedDim: 768,
      vision: { kind: "siglip", imageSize: 224, patchSize: 16, width: 768, layers: 12, heads: 12 },
      text: { contextLength: 64, vocabSize: 32000, width: 768, pooling: "last", padTokenId: 1 },
    });
    const second = configFromHf({ model_type: "siglip", text_config: { vocab_size: 256000 } });
    expect(second.text.padTokenId).toBe(0);
  });

  test("what we write we read", () => {
    const config = configFromHf({ model_type: "clip", text_config: { eos_token_id: 7, hidden_act: "gelu" } });
    expect(configFromHf(configToHf(config, "float16"))).toEqual(config);
  });

  test.skipIf(!existsSync(golden))(
    "what transformers 5.23 wrote (in ../shared) we write, but for what does not matter here",
    async () => {
      for (const [name, dtype] of [
        ["hf-clip-gelu", "float32"],
        ["hf-clip-sharded-bf16", "bfloat16"],
      ]) {
        const theirs = await readJson(join(golden, name, "config.json"));
        expect(theirs).toMatchObject(configToHf(configFromHf(theirs), dtype));
      }
    },
  );

  test.skipIf(!existsSync(golden))("clip-tiny-vit and hf-siglip (in ../shared)", async () => {
    const tiny = configFromHf(await readJson(join(golden, "clip-tiny-vit/config.json")));
    expect(tiny).toMatchObject({
      embedDim: 32,
      vision: { imageSize: 32, patchSize: 8, width: 128, layers: 3, heads: 2, mlpWidth: 512, activation: "quick_gelu" },
      text: {
        contextLength: 16,
        vocabSize: 600,
        width: 64,
        layers: 2,
        heads: 1,
        eosTokenId: 599,
        pooling: "largest-id",
      },
    });
    const siglip = await readJson(join(golden, "hf-siglip/config.json"));
    expect(configFromHf(siglip)).toMatchObject({
      embedDim: 64,
      vision: { kind: "siglip", imageSize: 32, mlpWidth: 192, activation: "gelu_pytorch_tanh", eps: 1e-6 },
      text: { contextLength: 12, vocabSize: 400, pooling: "last", padTokenId: 1 },
    });
  });
});
