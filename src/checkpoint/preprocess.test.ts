import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { readJson } from "./files.ts";
import {
  clipPreprocess,
  preprocessFromHf,
  preprocessFromOpenClip,
  preprocessToHf,
  siglipPreprocess,
} from "./preprocess.ts";

const golden = fileURLToPath(new URL("../../../shared/golden/", import.meta.url));
const fromHf = (json: unknown) => preprocessFromHf(json, 224, "preprocessor_config.json");

describe("preprocessor_config.json and processor_config.json", () => {
  const old = { crop_size: 224, do_center_crop: true, do_normalize: true, do_resize: true, resample: 3, size: 224 };
  const latest = {
    crop_size: { height: 224, width: 224 },
    size: { shortest_edge: 224 },
    resample: 3,
    rescale_factor: 1 / 255,
  };

  test("old form, new form, nested and empty all say CLIP", () => {
    for (const json of [old, latest, { image_processor: latest, processor_class: "CLIPProcessor" }, {}]) {
      expect(fromHf(json)).toEqual(clipPreprocess(224));
    }
  });

  test("mean, std, filter, a larger size before the crop, and squashing are read", () => {
    const given = {
      ...latest,
      size: { shortest_edge: 256 },
      image_mean: [0.1, 0.2, 0.3],
      image_std: [1, 2, 3],
      resample: 2,
    };
    expect(fromHf(given)).toEqual({
      size: 256,
      cropSize: 224,
      mean: [0.1, 0.2, 0.3],
      std: [1, 2, 3],
      mode: "shortest",
      resample: "bilinear",
    });
    const squash = { size: { height: 224, width: 224 }, do_center_crop: false };
    expect(fromHf(squash)).toMatchObject({ mode: "squash", size: 224, cropSize: 224 });
  });

  test("what a SigLIP folder does not state is SigLIP's: squashed, pixels from -1 to 1", () => {
    const usual = siglipPreprocess(224);
    expect(usual).toMatchObject({ mode: "squash", mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] });
    const stated = { size: { height: 224, width: 224 }, resample: 2, image_processor_type: "SiglipImageProcessor" };
    const read = preprocessFromHf(stated, 224, "preprocessor_config.json", usual);
    expect(read).toEqual({ ...usual, resample: "bilinear" });
  });

  test("what we write we read", () => {
    const squash = { ...clipPreprocess(224), size: 256, mode: "squash" as const, resample: "bilinear" as const };
    for (const preprocess of [clipPreprocess(224), squash])
      expect(fromHf(preprocessToHf(preprocess))).toEqual(preprocess);
  });

  test.each<[string, object, RegExp]>([
    ["another size than the model's", { size: 336, crop_size: 336 }, /cropped to 336, the model takes 224/],
    ["a crop larger than the image", { size: 200, crop_size: 224 }, /resized to 200 and cropped to 224/],
    ["oblong crops", { crop_size: { height: 224, width: 200 } }, /crop_size/],
    ["no normalisation", { do_normalize: false }, /do_normalize: only true is supported/],
    ["no crop after the shorter side", { do_center_crop: false }, /without do_center_crop/],
    ["other levels", { rescale_factor: 1 / 127.5 }, /rescale_factor: only 1\/255/],
    ["a division by zero", { image_std: [0, 1, 1] }, /image_std.0/],
    ["endless pixels", { size: 1e9 }, /size/],
  ])("refused with exit code 2: %s", (_, json, message) => {
    expect(() => fromHf(json)).toThrow(message);
    expect(() => fromHf(json)).toThrow(expect.objectContaining({ code: "bad-input" }));
  });

  test.skipIf(!existsSync(golden))("hf-processor as transformers 5.23 wrote it (in ../shared)", async () => {
    const theirs = (await readJson(join(golden, "hf-processor/processor_config.json"))) as { image_processor: object };
    expect(fromHf(theirs)).toEqual(clipPreprocess(224));
    expect(theirs.image_processor).toEqual(preprocessToHf(clipPreprocess(224)));
  });
});

describe("preprocess_cfg of open_clip_config.json", () => {
  const from = (preprocess_cfg?: object) => preprocessFromOpenClip({ preprocess_cfg }, 64, "open_clip_config.json");

  test("missing fields are CLIP's, given ones are read", () => {
    expect(from()).toEqual(clipPreprocess(64));
    expect(
      from({ mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5], interpolation: "bilinear", resize_mode: "squash" }),
    ).toEqual({
      size: 64,
      cropSize: 64,
      mean: [0.5, 0.5, 0.5],
      std: [0.5, 0.5, 0.5],
      mode: "squash",
      resample: "bilinear",
    });
  });

  test("resize_mode longest (padding) is refused", () => {
    expect(() => from({ resize_mode: "longest" })).toThrow(/preprocess_cfg.resize_mode/);
  });
});
