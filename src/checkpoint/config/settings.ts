/** What the JSON beside the weights says about the model and its images. */
import { dirname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { isFile, readJson } from "../../files/files.ts";
import { badInput } from "../../tensor/error.ts";
import type { Layout } from "../names/layouts.ts";
import type { ClipConfig, VisionConfig } from "./config.ts";
import { configFromHf } from "./hf-config.ts";
import { configFromOpenClip } from "./open-clip-config.ts";
import { clipPreprocess, describePreprocess, type Preprocess, siglipPreprocess } from "./preprocess.ts";
import { preprocessFromHf } from "./preprocess-hf.ts";
import { preprocessFromOpenClip } from "./preprocess-open-clip.ts";

export interface Settings {
  readonly config: ClipConfig;
  readonly preprocess: Preprocess;
}

export interface ReadSettings extends Settings {
  /** What no file says of images and was taken for granted, a sentence each. */
  readonly assumptions: readonly string[];
}

const assumed = (file: string, preprocess: Preprocess) => ({
  preprocess,
  assumptions: [`no ${file} says how images become pixels: ${describePreprocess(preprocess)}`],
});

/**
 * Read what goes with the layout: open_clip_config.json, or config.json and processor_config.json or preprocessor_config.json.
 * Without a config it is inferred; without the rest the preprocessing is CLIP's or SigLIP's.
 */
export async function readSettings(folder: string, layout: Layout, infer: () => ClipConfig): Promise<ReadSettings> {
  return layout === "openai" ? readOpenClip(folder, infer) : readHf(folder, infer);
}

async function readOpenClip(folder: string, infer: () => ClipConfig): Promise<ReadSettings> {
  const path = join(folder, "open_clip_config.json");
  if (!(await isFile(path))) {
    const config = infer();
    return { config, ...assumed("open_clip_config.json", clipPreprocess(config.vision.imageSize, "torchvision")) };
  }
  const json = await readJson(path);
  const config = configFromOpenClip(json, path);
  return { config, preprocess: preprocessFromOpenClip(json, config.vision.imageSize, path), assumptions: [] };
}

async function readHf(folder: string, infer: () => ClipConfig): Promise<ReadSettings> {
  const path = join(folder, "config.json");
  const config = (await isFile(path)) ? configFromHf(await readJson(path), path) : infer();
  return { config, ...(await readHfPreprocess(folder, config.vision)) };
}

/** Throws `bad-input` where a lone file `out` would be read with other pixels than its model, whose JSON does not go along. */
export async function refuseOtherPixels(
  out: string,
  model: Settings & { path: string; layout: Layout },
): Promise<void> {
  const { path, layout, config, preprocess } = model;
  const there = await readSettings(dirname(out), layout, () => config).catch(() => undefined);
  if (there === undefined || isDeepStrictEqual(there.preprocess, preprocess)) return;
  throw badInput(
    `${out} would be read with "${describePreprocess(there.preprocess)}", and ${path} is read with "${describePreprocess(preprocess)}": ` +
      `write it into ${dirname(path)}, where the files are that say so, or give the folder as the model`,
  );
}

/** Folders of transformers 5 have processor_config.json; in older ones a file of that name says nothing about images. */
async function readHfPreprocess(
  folder: string,
  { kind, imageSize }: VisionConfig,
): Promise<Omit<ReadSettings, "config">> {
  const usual = kind === "siglip" ? siglipPreprocess(imageSize) : clipPreprocess(imageSize);
  for (const name of ["processor_config.json", "preprocessor_config.json"]) {
    const path = join(folder, name);
    if (!(await isFile(path))) continue;
    const json = await readJson(path);
    if (name === "preprocessor_config.json" || Object.hasOwn(Object(json), "image_processor")) {
      return { preprocess: preprocessFromHf(json, imageSize, path, usual), assumptions: [] };
    }
  }
  return assumed("preprocessor_config.json", usual);
}
