import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readJson } from "../../files/files.ts";
import {
  clipPreprocess,
  describePreprocess,
  type Preprocess,
  preprocessAtSize,
  siglipPreprocess,
} from "./preprocess.ts";
import { preprocessFromHf, preprocessToHf } from "./preprocess-hf.ts";
import { preprocessFromOpenClip, preprocessToOpenClip } from "./preprocess-open-clip.ts";

const golden = fileURLToPath(new URL("../../../../shared/golden/", import.meta.url));
const fromHf = (json: unknown) => preprocessFromHf(json, 224, "preprocessor_config.json");
const toHf = (preprocess: Preprocess) => preprocessToHf(preprocess, "the model");
const clip = clipPreprocess(224);
/** As transformers 5.24 names them, and older files do. */
const everyKey = Object.fromEntries(
  (
    "do_resize size default_to_square resample do_center_crop crop_size do_rescale rescale_factor do_normalize image_mean image_std do_pad pad_size " +
    "do_convert_rgb image_processor_type feature_extractor_type processor_class use_square_size do_thumbnail do_flip_channel_order data_format " +
    "input_data_format return_tensors device disable_grouping image_seq_length image_processor _valid_processor_keys _valid_kwargs_names"
  )
    .split(" ")
    .map((key) => [key, true]),
);
const squashed = { mode: "squash", width: 224, height: 224 } as const;

describe("preprocessor_config.json and processor_config.json", () => {
  const old = { crop_size: 224, do_center_crop: true, do_normalize: true, do_resize: true, resample: 3, size: 224 };
  const latest = {
    crop_size: { height: 224, width: 224 },
    size: { shortest_edge: 224 },
    resample: 3,
    rescale_factor: 1 / 255,
  };

  test("old form, new form, nested, nulls and empty all say CLIP", () => {
    const nulls = { size: null, crop_size: null, do_convert_rgb: null, image_mean: null, do_pad: null, device: null };
    const nested = { image_processor: latest, processor_class: "CLIPProcessor" };
    for (const json of [old, latest, nested, nulls, { image_processor_type: "CLIPImageProcessorFast" }, {}]) {
      expect(fromHf(json)).toEqual(clip);
    }
  });

  test.each<[string, object, Partial<Preprocess>]>([
    ["a larger size before the crop", { size: { shortest_edge: 256 } }, { resize: { mode: "shortest", size: 256 } }],
    ["a smaller one, which gets a border", { size: 200 }, { resize: { mode: "shortest", size: 200 }, cropSize: 224 }],
    ["both sides", { size: { height: 224, width: 224 }, do_center_crop: false }, { resize: squashed }],
    ["two sizes", { size: { height: 250, width: 300 } }, { resize: { mode: "squash", height: 250, width: 300 } }],
    ["two sizes in a list", { size: [250, 300] }, { resize: { mode: "squash", height: 250, width: 300 } }],
    ["one size that means both", { size: 224, default_to_square: true }, { resize: squashed }],
    ["no resizing", { do_resize: false }, { resize: { mode: "none" } }],
    ["mean and deviation", { image_mean: [0.1, 0.2, 0.3], image_std: 2 }, { mean: [0.1, 0.2, 0.3], std: [2, 2, 2] }],
    ["neither", { do_normalize: false }, { mean: [0, 0, 0], std: [1, 1, 1] }],
    [
      "levels as they are",
      { do_rescale: false, image_mean: 51, image_std: 102 },
      { mean: [0.2, 0.2, 0.2], std: [0.4, 0.4, 0.4] },
    ],
    [
      "levels over 127.5",
      { rescale_factor: 1 / 127.5, image_mean: 1, image_std: 1 },
      { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
    ],
    ["nearest", { resample: 0 }, { filter: "nearest" }],
    ["Lanczos", { resample: 1 }, { filter: "lanczos" }],
    ["bilinear", { resample: 2 }, { filter: "bilinear" }],
    ["box", { resample: 4 }, { filter: "box" }],
    ["Hamming", { resample: 5 }, { filter: "hamming" }],
  ])("read: %s", (_, json, expected) => {
    expect(fromHf({ ...latest, ...json })).toEqual({ ...clip, ...expected });
  });

  test("what the file does not state is its class's, else the model's: SigLIP squashes and does not crop", () => {
    const siglip = siglipPreprocess(224);
    expect(siglip).toEqual({ ...clip, resize: squashed, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] });
    expect(fromHf({ image_processor_type: "SiglipImageProcessor" })).toEqual(siglip);
    expect(fromHf({ image_processor_type: "SiglipImageProcessorFast", resample: 2 })).toEqual({
      ...siglip,
      filter: "bilinear",
    });
    expect(preprocessFromHf({}, 224, "file", siglip)).toEqual(siglip);
    expect(preprocessFromHf({ feature_extractor_type: "CLIPFeatureExtractor" }, 224, "file", siglip)).toEqual(clip);
  });

  test("what we write we read; what the format cannot say is refused by name", () => {
    const unusual: Preprocess = { ...clip, resize: { mode: "shortest", size: 200 }, filter: "hamming" };
    for (const preprocess of [
      clip,
      siglipPreprocess(224),
      unusual,
      { ...unusual, resize: { mode: "none" } as const },
      { ...unusual, resize: { mode: "squash", width: 300, height: 9 } as const, mean: [0, 0, 0] as const },
    ])
      expect(fromHf(toHf(preprocess))).toEqual(preprocess);
    const longest = { ...clip, resize: { mode: "longest", size: 224 } as const, fill: 9 };
    expect(() => toHf(longest)).toThrow(/the model: .*longer side.*level 9/);
  });

  test.each<[string, object, RegExp]>([
    [
      "another size than the model's",
      { size: 336, crop_size: 336 },
      /cropped to 336 x 336 by crop_size; the model takes 224 x 224/,
    ],
    ["a smaller size and no crop", { size: 200, crop_size: null }, /resized to 200 and no crop_size/],
    ["oblong crops", { crop_size: { height: 224, width: 200 } }, /cropped to 200 x 224/],
    ["no crop after the shorter side", { do_center_crop: false }, /without do_center_crop/],
    [
      "no crop after two sizes",
      { size: { height: 224, width: 230 }, do_center_crop: false },
      /become 230 x 224 and are not cropped/,
    ],
    ["a shortest and a longest edge", { size: { shortest_edge: 224, longest_edge: 300 } }, /size: .*longest_edge/],
    ["a longest edge", { size: { longest_edge: 224 } }, /size must be/],
    ["an area", { size: { min_pixels: 1, max_pixels: 9 } }, /size must be/],
    ["padding of the batch", { do_pad: true }, /do_pad: only false/],
    ["blue before red", { do_flip_channel_order: true }, /do_flip_channel_order: only false/],
    ["an unknown filter", { resample: 6 }, /resample: only Pillow's filters 0 to 5/],
    ["an unknown key", { do_sharpen: true }, /do_sharpen is not known/],
    ["an unknown class", { image_processor_type: "Siglip2ImageProcessor" }, /"Siglip2ImageProcessor" are not computed/],
    ["code of its own", { auto_map: { AutoImageProcessor: "x.Y" } }, /auto_map is not known/],
    ["a division by zero", { image_std: [0, 1, 1] }, /image_std/],
    ["levels times zero", { rescale_factor: 0 }, /rescale_factor/],
    ["endless pixels", { size: 1e9 }, /size/],
  ])("refused with exit code 2: %s", (_, json, message) => {
    const both = () => fromHf({ ...latest, ...json });
    expect(both).toThrow(message);
    expect(both).toThrow(expect.objectContaining({ code: "bad-input" }));
    expect(both).toThrow("preprocessor_config.json");
  });

  test("whatever key is added, it is named; null says nothing", () => {
    const word = fc.stringMatching(/^[a-z_]{1,20}$/).filter((key) => !(key in everyKey));
    fc.assert(
      fc.property(word, fc.jsonValue(), (key, value) => {
        const both = () => fromHf({ ...latest, [key]: value });
        if (value === null) expect(both()).toEqual(clip);
        else expect(both).toThrow(`${key} is not known`);
      }),
      { numRuns: 300 },
    );
  });

  test("what has no effect is accepted whatever it says", () => {
    const silent = {
      do_convert_rgb: false,
      device: "cuda",
      return_tensors: "pt",
      processor_class: "CLIPProcessor",
      pad_size: 9,
    };
    expect(fromHf({ ...latest, ...silent, do_pad: false, data_format: "channels_first" })).toEqual(clip);
  });

  test("an unknown key beside image_processor is refused too", () => {
    expect(() => fromHf({ image_processor: latest, image_seq_length: 9 })).toThrow(/image_seq_length is not known/);
    expect(() => fromHf([])).toThrow("preprocessor_config.json");
    expect(() => fromHf({ image_processor: 7 })).toThrow("preprocessor_config.json");
  });

  test.skipIf(!existsSync(golden))("hf-processor as transformers 5.23 wrote it (in ../shared)", async () => {
    const theirs = (await readJson(join(golden, "hf-processor/processor_config.json"))) as { image_processor: object };
    expect(fromHf(theirs)).toEqual(clip);
    expect(theirs.image_processor).toEqual(toHf(clip));
  });
});

describe("preprocess_cfg of open_clip_config.json", () => {
  const from = (preprocess_cfg?: object | null) =>
    preprocessFromOpenClip({ model_cfg: {}, preprocess_cfg }, 64, "open_clip_config.json");
  const usual = clipPreprocess(64, "torchvision");

  test("missing fields and nulls are CLIP's, given ones are read", () => {
    for (const nothing of [undefined, null, {}, { mean: null, resize_mode: null, size: [9, 9], mode: "RGB" }]) {
      expect(from(nothing)).toEqual(usual);
    }
    expect(from({ mean: [0.5, 0.5, 0.5], std: 0.5, interpolation: "bilinear", resize_mode: "squash" })).toEqual({
      ...usual,
      resize: { mode: "squash", width: 64, height: 64 },
      mean: [0.5, 0.5, 0.5],
      std: [0.5, 0.5, 0.5],
      filter: "bilinear",
    });
    const longest = { mode: "longest", size: 64 };
    expect(from({ resize_mode: "longest", fill_color: 7 })).toEqual({ ...usual, resize: longest, fill: 7 });
    expect(from({ interpolation: "random", fill_color: 7 })).toEqual(usual); // at random in training alone; no border
  });

  test.each<[string, object, RegExp]>([
    ["resize_mode", { resize_mode: "shorter" }, /preprocess_cfg: resize_mode/],
    ["interpolation", { interpolation: "nearest" }, /preprocess_cfg: interpolation/],
    ["fill_color", { fill_color: [1, 2, 3] }, /preprocess_cfg: fill_color: only one level/],
    ["an unknown key", { do_rescale: true }, /do_rescale is not known/],
    ["grey images", { mode: "L" }, /mode: only RGB/],
    ["no object", [], /preprocess_cfg/],
  ])("refused with exit code 2: %s", (_, json, message) => {
    expect(() => from(json)).toThrow(message);
    expect(() => from(json)).toThrow(expect.objectContaining({ code: "bad-input" }));
  });

  test("what we write we read; what the format cannot say is refused by name", () => {
    for (const preprocess of [
      usual,
      { ...usual, resize: { mode: "squash", width: 64, height: 64 } as const, filter: "bilinear" as const },
      { ...usual, resize: { mode: "longest", size: 64 } as const, fill: 200 },
    ])
      expect(from(preprocessToOpenClip(preprocess, "the model"))).toEqual(preprocess);
    for (const preprocess of [
      { ...usual, resize: { mode: "shortest", size: 70 } as const },
      { ...usual, resize: { mode: "squash", width: 64, height: 65 } as const },
      { ...usual, resize: { mode: "none" } as const },
      { ...usual, filter: "box" as const },
    ])
      expect(() => preprocessToOpenClip(preprocess, "the model")).toThrow(/the model: open_clip's config cannot say/);
  });
});

test.each<[string, Preprocess]>([
  ["shorter side to 224, bicubic, middle 224 x 224", clip],
  ["squashed to 224 x 224, bicubic, mean 0.5 0.5 0.5, deviation 0.5 0.5 0.5", siglipPreprocess(224)],
  [
    "squashed to 300 x 200, box, middle 224 x 224, padded with level 0",
    { ...clip, resize: { mode: "squash", width: 300, height: 200 }, filter: "box" },
  ],
  [
    "longer side to 224, bilinear, padded to 224 x 224 with level 9",
    { ...clip, resize: { mode: "longest", size: 224 }, filter: "bilinear", fill: 9 },
  ],
  ["not resized, middle 224 x 224, padded with level 0", { ...clip, resize: { mode: "none" } }],
])("says itself: %s", (sentence, preprocess) => {
  expect(describePreprocess(preprocess)).toBe(sentence);
});

test("at another size everything keeps its proportion", () => {
  const larger = { ...clip, resize: { mode: "shortest", size: 256 } as const };
  expect(preprocessAtSize(larger, 56)).toEqual({ ...larger, resize: { mode: "shortest", size: 64 }, cropSize: 56 });
  expect(preprocessAtSize(siglipPreprocess(224), 96)).toEqual(siglipPreprocess(96));
  expect(preprocessAtSize(larger, 224)).toEqual(larger);
});
