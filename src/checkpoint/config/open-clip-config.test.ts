import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { readJson } from "../../files/files.ts";
import { configFromOpenClip } from "./open-clip-config.ts";

const golden = fileURLToPath(new URL("../../../../shared/golden/", import.meta.url));

const vitB32 = {
  embed_dim: 512,
  vision_cfg: { image_size: 224, layers: 12, width: 768, patch_size: 32 },
  text_cfg: { context_length: 77, vocab_size: 49408, width: 512, heads: 8, layers: 12 },
};

describe("open_clip_config.json", () => {
  test("ViT-B-32: heads of 64 channels, MLP 4 times as wide, pooled at the largest id", () => {
    const { vision, text } = configFromOpenClip({ model_cfg: vitB32 });
    expect(vision).toMatchObject({ heads: 12, mlpWidth: 3072, patchSize: 32, imageSize: 224 });
    expect(text).toMatchObject({ heads: 8, mlpWidth: 2048, pooling: "largest-id" });
  });

  test("the activation is exact GELU unless quick_gelu says otherwise", () => {
    expect(configFromOpenClip({ model_cfg: vitB32 }).vision).toMatchObject({ activation: "gelu" });
    const quick = configFromOpenClip({ model_cfg: { ...vitB32, quick_gelu: true } });
    expect(quick).toMatchObject({ vision: { activation: "quick_gelu" }, text: { activation: "quick_gelu" } });
  });

  test("head_width and mlp_ratio: ViT-H-14 has 16 heads of 80, ViT-bigG-14 an MLP of 8192", () => {
    const vision_cfg = { image_size: 224, patch_size: 14, layers: 32, width: 1280, head_width: 80 };
    expect(configFromOpenClip({ model_cfg: { ...vitB32, vision_cfg } }).vision).toMatchObject({
      heads: 16,
      mlpWidth: 5120,
    });
    const bigG = { ...vision_cfg, layers: 48, width: 1664, head_width: 104, mlp_ratio: 4.9231 };
    expect(configFromOpenClip({ model_cfg: { ...vitB32, vision_cfg: bigG } }).vision).toMatchObject({
      heads: 16,
      mlpWidth: 8192,
    });
  });

  test("RN50: a list of layers is a ResNet, its heads have 64 of the 32 x 64 features", () => {
    const vision_cfg = { image_size: 224, layers: [3, 4, 6, 3], width: 64, patch_size: null };
    const { vision } = configFromOpenClip({ model_cfg: { ...vitB32, embed_dim: 1024, vision_cfg } });
    expect(vision).toEqual({ kind: "resnet", imageSize: 224, blocks: [3, 4, 6, 3], width: 64, heads: 32 });
  });

  test.each<[string, object, RegExp]>([
    [
      "a ResNet of three stages",
      { vision_cfg: { ...vitB32.vision_cfg, width: 64, layers: [3, 4, 6] } },
      /a ResNet has 4 stages, not 3/,
    ],
    [
      "a ResNet on 100 pixels",
      { vision_cfg: { image_size: 100, width: 64, layers: [3, 4, 6, 3] } },
      /image size 100 is not a multiple of 32, a ResNet's step/,
    ],
    [
      "a timm tower",
      { vision_cfg: { timm_model_name: "convnext_base" } },
      /vision_cfg: timm_model_name "convnext_base" is not/,
    ],
    [
      "an attention pool",
      { vision_cfg: { attentional_pool: true } },
      /attentional_pool true is not supported, only false is/,
    ],
    ["average pooling", { vision_cfg: { pool_type: "avg" } }, /pool_type "avg" is not supported, only "tok" is/],
    [
      "a Hugging Face text tower",
      { text_cfg: { hf_model_name: "roberta-base" } },
      /text_cfg: hf_model_name "roberta-base"/,
    ],
    ["text without causal mask", { text_cfg: { no_causal_mask: true } }, /no_causal_mask true/],
    ["no embed_dim", { embed_dim: undefined }, /model_cfg.embed_dim/],
  ])("refused with exit code 2: %s", (_, change, message) => {
    const json = { model_cfg: { ...vitB32, ...change } };
    expect(() => configFromOpenClip(json)).toThrow(message);
    expect(() => configFromOpenClip(json)).toThrow(expect.objectContaining({ code: "bad-input" }));
  });

  test.skipIf(!existsSync(golden))("clip-tiny-vit and clip-tiny-resnet (in ../shared)", async () => {
    expect(configFromOpenClip(await readJson(join(golden, "clip-tiny-vit/open_clip_config.json")))).toMatchObject({
      embedDim: 32,
      vision: { width: 128, layers: 3, heads: 2, mlpWidth: 512, activation: "quick_gelu" },
      text: { width: 64, layers: 2, heads: 1, contextLength: 16, vocabSize: 600 },
    });
    const resnet = await readJson(join(golden, "clip-tiny-resnet/open_clip_config.json"));
    expect(configFromOpenClip(resnet).vision).toMatchObject({ kind: "resnet", blocks: [1, 2, 1, 1], heads: 8 });
  });
});
