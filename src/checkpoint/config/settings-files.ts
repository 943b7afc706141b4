/** The JSON that goes with weights under new names, and when weights can go without. What is written is read again and compared. */
import { dirname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { isFile, readJson } from "../../files/files.ts";
import { badInput } from "../../tensor/error.ts";
import type { Checkpoint } from "../clip-folder.ts";
import type { Dtype } from "../formats/safetensors-header.ts";
import { filesBeside, type SmallFiles } from "../model-folder.ts";
import type { KeyStyle } from "../names/key-styles.ts";
import { type ClipConfig, parameterShapes } from "./config.ts";
import { configFromHf } from "./hf-config.ts";
import { inferConfig } from "./infer-config.ts";
import { configFromOpenClip } from "./open-clip-config.ts";
import { clipPreprocess, describePreprocess, type Preprocess } from "./preprocess.ts";
import { preprocessFromHf, preprocessToHf } from "./preprocess-hf.ts";
import { preprocessFromOpenClip } from "./preprocess-open-clip.ts";
import type { Settings } from "./settings.ts";
import { configToHf } from "./to-hf.ts";
import { openClipJson } from "./to-open-clip.ts";

/**
 * The files by name: those that lie beside the weights where they are of the same kind, else made from the settings. Throws
 * `bad-input` where their format has no way to say what the model is.
 */
export async function settingsFiles(from: Checkpoint, to: KeyStyle): Promise<SmallFiles> {
  const folder = dirname(from.weightsFile);
  if (to !== "hf")
    return { "open_clip_config.json": text(await openClipSettings(from, folder, to === "open_clip-text")) };
  if (from.layout !== "hf" || !(await isFile(join(folder, "config.json")))) return hfSettings(from);
  return filesBeside(from.weightsFile, ["config.json", "preprocessor_config.json", "processor_config.json"]);
}

function hfSettings({ path, config, preprocess, dtypes }: Checkpoint): SmallFiles {
  const json = configToHf(withTokens(config), torchDtype([...dtypes.values()]));
  const images = preprocessToHf(preprocess, path);
  const read = {
    config: configFromHf(json, path),
    preprocess: preprocessFromHf(images, config.vision.imageSize, path),
  };
  checkSame({ config, preprocess }, read, (what) => `${path}: a CLIPModel of Hugging Face cannot say its ${what}`);
  return { "config.json": text(json), "preprocessor_config.json": text(images) };
}

async function openClipSettings({ path, layout, config, preprocess }: Checkpoint, folder: string, customText: boolean) {
  const beside = join(folder, "open_clip_config.json");
  if (layout === "openai" && (await isFile(beside))) {
    const { model_cfg, ...rest } = (await readJson(beside)) as { model_cfg: object };
    const { custom_text: _, ...model } = model_cfg as { custom_text?: unknown };
    return { model_cfg: { ...model, ...(customText && { custom_text: true }) }, ...rest };
  }
  const json = openClipJson(config, preprocess, customText, path);
  const read = {
    config: configFromOpenClip(json, path),
    preprocess: preprocessFromOpenClip(json, config.vision.imageSize, path),
  };
  checkSame({ config, preprocess }, read, (what) => `${path}: open_clip's config cannot say its ${what}`);
  return json;
}

/** Throws `bad-input` when somebody who has the weights alone would build another model. */
export function checkToldByShapes({ path, config, preprocess }: Checkpoint): void {
  const advice = "give a folder as --out, which has a place for its config";
  let told: ClipConfig;
  try {
    told = inferConfig(parameterShapes(config), path);
  } catch {
    throw badInput(`${path}: shapes alone do not tell the heads of its attention; ${advice}`);
  }
  const read = { config: told, preprocess: clipPreprocess(config.vision.imageSize) };
  checkSame({ config, preprocess }, read, (what) => `${path}: shapes alone do not tell its ${what}; ${advice}`);
}

function checkSame(meant: Settings, read: Settings, message: (what: string) => string): void {
  const what =
    difference(meant.config, read.config) ??
    (sameButOrder(meant.preprocess, read.preprocess)
      ? undefined
      : `preprocessing (${describePreprocess(meant.preprocess)})`);
  if (what !== undefined) throw badInput(message(what));
}

/** The order of converting and resizing is that of the program which reads the files: it goes with their kind. */
const sameButOrder = (meant: Preprocess, read: Preprocess): boolean =>
  isDeepStrictEqual({ ...meant, order: read.order }, read);

/** The first setting in which two models compute differently. Token ids matter only where they tell which token is pooled. */
function difference(meant: ClipConfig, read: ClipConfig): string | undefined {
  if (meant.embedDim !== read.embedDim) return "joint width";
  const pools = meant.text.pooling === "first-eos" ? {} : { eosTokenId: undefined };
  for (const tower of ["vision", "text"] as const) {
    const ignored = { bosTokenId: undefined, ...(tower === "text" && pools) };
    const a: Record<string, unknown> = { ...meant[tower], ...ignored };
    const b: Record<string, unknown> = { ...read[tower], ...ignored };
    const key = Object.keys({ ...a, ...b }).find((key) => !isDeepStrictEqual(a[key], b[key]));
    if (key !== undefined) return `${tower} ${key} (${JSON.stringify(a[key])})`;
  }
  return undefined;
}

/** transformers is told the ids that end CLIP's own vocabulary, where the model does not say. */
function withTokens(config: ClipConfig): ClipConfig {
  const { text } = config;
  if (text.vocabSize !== 49408 || text.eosTokenId !== undefined) return config;
  return { ...config, text: { ...text, bosTokenId: 49406, eosTokenId: 49407 } };
}

/** The one that loses nothing, as transformers casts all to it. */
function torchDtype(dtypes: readonly Dtype[]): string {
  if (dtypes.every((dtype) => dtype === "F16")) return "float16";
  return dtypes.every((dtype) => dtype === "BF16") ? "bfloat16" : "float32";
}

const text = (json: object): string => `${JSON.stringify(json, null, 2)}\n`;
