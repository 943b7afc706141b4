/** What the whole job at real size (full-run.ts) starts from: a model of random weights, photographs, and the model's answers to them. */
import { readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { makeTrigger, parseTriggerSpec } from "../src/attacks/index.ts";
import { configFromHf } from "../src/checkpoint/config/hf-config.ts";
import { clipPreprocess } from "../src/checkpoint/config/preprocess.ts";
import { writeNewCheckpoint } from "../src/checkpoint/new-checkpoint.ts";
import { initialWeights } from "../src/clip/parameters.ts";
import { openDataset } from "../src/data/open.ts";
import { loadClip } from "../src/engine/clip.ts";
import { createScorer } from "../src/engine/scorer.ts";
import { zeroShotHead } from "../src/engine/zero-shot.ts";
import { random } from "../src/tensor/random.ts";
import { tensor } from "../src/tensor/tensor.ts";

export const seed = 1;
export const threads = 2;
export const trigger = "blended:pattern=gaussian,ratio=0.2,redraw=false,quantise=true,seed=1";
export const template = "a photo of a {}.";

export const folder = "runs/full-run";
const data = resolve(process.env.DATA ?? "../shared/data");
export const at = (name: string) => join(folder, name);

/** What a stage found, and left in the folder. */
export interface Kept<Result> {
  readonly result: Result;
  /** Over all parts of the stage. */
  readonly seconds: number;
  /** GB. */
  readonly peak: number;
}

export function kept<Result>(name: string): Kept<Result> {
  return JSON.parse(readFileSync(at(`${name}.json`), "utf8"));
}

/** The model, the lists of photographs, the labels, and for the peer the trigger's share of a stamped image. */
export async function prepare(): Promise<void> {
  const shuffled = (names: string[]) => random(seed, "photographs").shuffle(names.sort());
  const table = (name: string, head: string, rows: readonly string[]) =>
    writeFileSync(at(name), `${[head, ...rows].join("\n")}\n`);
  const imagenet = join(data, "imagenet-val-1300");
  const flickr = join(data, "flickr8k-1000/images");
  const [, ...lines] = readFileSync(join(imagenet, "labels.csv"), "utf8").trim().split("\n");
  const photographs = shuffled(lines.map((line) => join(imagenet, line.split(",")[0])));
  const others = shuffled(readdirSync(flickr)).map((name) => join(flickr, name));
  const [forget, held] = [photographs.slice(0, 1000), photographs.slice(1000)];
  const bare = (files: readonly string[]) => files.map((file) => `${file},`);
  table("forget.csv", "image,caption", bare(forget));
  table("validation.csv", "image,caption", bare([...held, ...others.slice(0, 300)]));
  table("test.csv", "image,caption", bare(others.slice(300)));
  const { classes } = JSON.parse(readFileSync(join(imagenet, "classes.json"), "utf8")) as { classes: string[] };
  writeFileSync(at("classes.json"), JSON.stringify({ classes }));
  writeFileSync(at("classes.txt"), `${classes.join("\n")}\n`);
  writeFileSync(at("templates.txt"), `${template}\n`);

  const black = tensor([1, 3, 224, 224]);
  const share = await makeTrigger({ ...parseTriggerSpec(trigger), quantise: false } as never).apply(black, ["peer"]);
  writeFileSync(at("trigger.f32"), share.data);

  const begun = at("model.begun");
  await writeUntrained(begun);
  table("photographs.csv", "image,caption", bare(photographs));
  const labels = await answers(begun, at("photographs.csv"), classes);
  const labelled = photographs.map((file, i) => `${file},${labels[i]}`);
  table("labelled.csv", "image,label", labelled.slice(0, 1000));
  table("held.csv", "image,label", labelled.slice(1000));
  renameSync(begun, at("model")); // its presence says that all of this is there
}

/** A ViT-B/32 of random weights, with CLIP's own tokenizer and temperature. */
export async function writeUntrained(path: string): Promise<void> {
  const text_config = { eos_token_id: 49407, bos_token_id: 49406 };
  const config = configFromHf({ model_type: "clip", text_config, vision_config: {} });
  const tokenizerJson = readFileSync(join(data, "clip-bpe/tokenizer.json"), "utf8");
  const weights = new Map(initialWeights(config, seed)).set("logit_scale", tensor([], [Math.log(100)]));
  await writeNewCheckpoint(path, { config, weights, dtype: "F32", preprocess: clipPreprocess(224), tokenizerJson });
}

/** The class that a model takes each photograph for. */
async function answers(model: string, photographs: string, classes: readonly string[]): Promise<Int32Array> {
  const clip = await loadClip(model, { threads });
  const head = await zeroShotHead(clip.encoder, clip.weights, classes, [template]);
  const found = await createScorer(clip, await openDataset(photographs), head).answers(clip.weights);
  await clip.runtime.release();
  return found;
}
