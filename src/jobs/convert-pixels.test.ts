/** What becomes of the preprocessing when a checkpoint goes from one layout to the other. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writePico } from "../../test/pico.ts";
import { tbar } from "../../test/terminal.ts";
import { readCheckpoint } from "../checkpoint/clip-folder.ts";
import { refuseCheckpoint } from "../checkpoint/write-checkpoint.ts";
import { convert } from "./convert/job.ts";
import { exportOnnx } from "./export/job.ts";
import type { SpecOf } from "./job.ts";
import { runJob } from "./run-job.ts";

let folder: string;
const at = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-pixels-"));
  await writePico(at("hf"));
});
afterAll(() => rm(folder, { recursive: true }));

const convertModel = (model: string, asked: Omit<SpecOf<typeof convert>, "model">) =>
  runJob(convert, { model, ...asked });
const preprocessOf = async (name: string) => (await readCheckpoint(at(name))).preprocess;
const stateHf = (json: object) => writeFile(at("hf/preprocessor_config.json"), JSON.stringify(json));

test("squashing, bilinear, mean and deviation go there and back; that the order changes is said", async () => {
  await stateHf({ size: { height: 16, width: 16 }, crop_size: 16, resample: 2, image_mean: 0.5, image_std: 0.25 });
  const there = await convertModel(at("hf"), { to: "open_clip", out: at("open"), force: true });
  expect(there.pixels).toMatch(/^open_clip reads images with transparency.* differently from transformers/);
  const open = await preprocessOf("open");
  expect(open).toEqual({ ...(await preprocessOf("hf")), order: "torchvision" });

  const back = await convertModel(at("open"), { to: "hf", out: at("back"), force: true });
  expect(back.pixels).toMatch(/^transformers reads images/);
  expect(await preprocessOf("back")).toEqual(await preprocessOf("hf"));
  expect((await convertModel(at("hf"), { to: "hf", out: at("same"), force: true })).pixels).toBeUndefined();
  expect((await runJob(exportOnnx, { model: at("open"), out: at("onnx"), only: ["text"], threads: 1 })).pixels).toBe(
    back.pixels,
  );
  expect(
    (await runJob(exportOnnx, { model: at("hf"), out: at("onnx-hf"), only: ["text"], threads: 1 })).pixels,
  ).toBeUndefined();
});

test.each<[string, object]>([
  ["nearest", { size: 16, crop_size: 16, resample: 0 }],
  ["shorter side to 20", { size: 20, crop_size: 16 }],
  ["squashed to 18 x 20", { size: { height: 20, width: 18 }, crop_size: 16 }],
  ["not resized", { do_resize: false, crop_size: 16 }],
])("open_clip has no words for: %s", async (what, json) => {
  await stateHf(json);
  const converted = convertModel(at("hf"), { to: "open_clip", out: at("never") });
  await expect(converted).rejects.toThrow(new RegExp(`open_clip's config cannot say its preprocessing \\(.*${what}`));
});

test("transformers has no words for the longer side", async () => {
  await stateHf({ size: 16, crop_size: 16 });
  await convertModel(at("hf"), { to: "open_clip", out: at("long"), force: true });
  const file = at("long/open_clip_config.json");
  const json = JSON.parse(await readFile(file, "utf8"));
  await writeFile(file, JSON.stringify({ ...json, preprocess_cfg: { resize_mode: "longest", fill_color: 9 } }));
  const message = /cannot say that the longer side is resized .* level 9/;
  await expect(convertModel(at("long"), { to: "hf", out: at("never") })).rejects.toThrow(message);
  await expect(runJob(exportOnnx, { model: at("long"), out: at("never") })).rejects.toThrow(message);
});

test("a lone file goes where the files are that say how its images are read", async () => {
  await stateHf({ size: { height: 16, width: 16 }, crop_size: 16 });
  const lone = await readCheckpoint(at("hf/model.safetensors"));
  const refused = refuseCheckpoint(at("out.safetensors"), lone, [], {});
  await expect(refused).rejects.toThrow(/would be read with "shorter side to 16.*is read with "squashed to 16 x 16/);
  await expect(refuseCheckpoint(at("hf/out.safetensors"), lone, [], {})).resolves.toBeUndefined();
  await stateHf({ size: 16, crop_size: 16 });
  const usual = await readCheckpoint(at("hf/model.safetensors"));
  await expect(refuseCheckpoint(at("out.safetensors"), usual, [], {})).resolves.toBeUndefined();
});

test("trigger show draws images as its model reads them, at another size too", async () => {
  await mkdir(at("photos"));
  const wide = Uint8Array.from({ length: 32 * 16 * 3 }, (_, i) => (Math.floor(i / 3) % 32 < 8 ? 255 : 0));
  await sharp(wide, { raw: { width: 32, height: 16, channels: 3 } })
    .png()
    .toFile(at("photos/wide.png"));
  const corner = async (size: number) => {
    const line = ["trigger", "show", "badnet:size=1,place=middle", "--model", at("hf"), "--data", at("photos")];
    const run = await tbar([...line, "--size", `${size}`, "--out", at("gallery.png"), "--force"]);
    expect(run).toMatchObject({ code: 0 });
    const { data, info } = await sharp(at("gallery.png")).raw().toBuffer({ resolveWithObject: true });
    return data[3 * (34 * info.width + 12)];
  };
  await stateHf({ size: 16, crop_size: 16, resample: 0 });
  expect([await corner(16), await corner(32)]).toEqual([0, 0]); // the middle alone
  await stateHf({ size: { height: 16, width: 16 }, crop_size: 16, resample: 0 });
  expect([await corner(16), await corner(32)]).toEqual([255, 255]); // the whole image
});
