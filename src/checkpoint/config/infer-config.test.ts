import { expect, test } from "vitest";
import { type ClipConfig, parameterShapes } from "./config.ts";
import { configFromHf } from "./hf-config.ts";
import { inferConfig } from "./infer-config.ts";

const hf = (vision: object, text: object, projection_dim: number) =>
  configFromHf({ model_type: "clip", vision_config: vision, text_config: text, projection_dim });

test.each([
  ["ViT-B/32", hf({}, {}, 512)],
  ["ViT-B/16", hf({ patch_size: 16 }, {}, 512)],
  [
    "ViT-L/14-336",
    hf(
      {
        patch_size: 14,
        image_size: 336,
        hidden_size: 1024,
        intermediate_size: 4096,
        num_hidden_layers: 24,
        num_attention_heads: 16,
      },
      { hidden_size: 768, intermediate_size: 3072, num_attention_heads: 12 },
      768,
    ),
  ],
])("%s from its shapes alone: image = patch sqrt(tokens - 1), heads = width/64", (_, config) => {
  const { eosTokenId, bosTokenId, ...text } = config.text;
  expect(inferConfig(parameterShapes(config), "clip.safetensors")).toEqual({
    ...config,
    text,
    logitScaleInit: Math.log(1 / 0.07),
  });
});

const rn50: ClipConfig = {
  ...hf({}, {}, 1024),
  vision: { kind: "resnet", imageSize: 224, width: 64, blocks: [3, 4, 6, 3], heads: 32 },
};

test("RN50 and RN50x4 from their shapes alone: image = 32 sqrt(tokens - 1), heads = 32 width/64", () => {
  for (const vision of [rn50.vision, { ...rn50.vision, imageSize: 288, width: 80, blocks: [4, 6, 10, 6], heads: 40 }]) {
    expect(inferConfig(parameterShapes({ ...rn50, vision }), "RN50.safetensors").vision).toEqual(vision);
  }
});

test("SigLIP from its shapes alone; heads of so400m, 1152 wide, are its known 16", () => {
  const sizes = { hidden_size: 1152, intermediate_size: 4304, num_hidden_layers: 27, num_attention_heads: 16 };
  const base = configFromHf({ model_type: "siglip" });
  const so400m = configFromHf({
    model_type: "siglip",
    text_config: sizes,
    vision_config: { ...sizes, patch_size: 14, image_size: 384 - 6 },
  });
  for (const { text, ...config } of [base, so400m]) {
    const { padTokenId, ...rest } = text;
    expect(inferConfig(parameterShapes({ text, ...config }), "siglip.safetensors")).toEqual({ ...config, text: rest });
  }
});

test("parameter counts of RN50 are those of open_clip's model_profile.csv, plus logit_scale and running statistics", () => {
  let [learned, running] = [0, 0];
  for (const [name, shape] of parameterShapes(rn50)) {
    const size = shape.reduce((a, b) => a * b, 1);
    if (name.includes("running")) running += size;
    else learned += size;
  }
  expect(learned).toBe(102_007_137);
  expect(running).toBe(2 * (26_560 + 64)); // channels of torchvision's resnet50, and of a stem of three
});

test("parameter counts of ViT-B/32 and ViT-B/16 are those of open_clip's model_profile.csv, plus logit_scale", () => {
  const total = (config: ReturnType<typeof hf>) =>
    [...parameterShapes(config).values()].reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0);
  expect(total(hf({}, {}, 512))).toBe(151_277_313);
  expect(total(hf({ patch_size: 16 }, {}, 512))).toBe(149_620_737);
  expect(parameterShapes(hf({}, {}, 512)).size).toBe(398);
});

test("a width that 64 does not divide needs a config: heads cannot be seen", () => {
  const shapes = parameterShapes(hf({ hidden_size: 96, num_attention_heads: 3 }, {}, 512));
  expect(() => inferConfig(shapes, "clip.safetensors")).toThrow(
    "clip.safetensors: no config beside it says how many heads the vision width of 96 has; add config.json",
  );
});

test("patches that make no square are refused", () => {
  const shapes = parameterShapes(hf({}, {}, 512)).set("vision_model.embeddings.position_embedding.weight", [51, 768]);
  expect(() => inferConfig(shapes, "clip.safetensors")).toThrow(/read from its shapes: image size is 226/);
});
