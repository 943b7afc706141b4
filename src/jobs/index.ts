/** All jobs: what commands, library, schemas, manuals and sweeps are made of. A new one is an entry here. */
import type { Job, Page } from "./job.ts";

/** A job as lists know it; the rest is loaded when it is asked for. */
export interface Listed {
  /** A few words. */
  readonly summary: string;
  load(): Promise<Job>;
}

/** By name, in the order of the help page: a few words, and the module that holds it. A name of two words is a command within a command. */
const modules: Readonly<Record<string, readonly [summary: string, load: () => Promise<object>]>> = {
  demo: ["watch a backdoor being removed from a CLIP that ships with tbar", () => import("./demo/job.ts")],
  clean: ["remove a backdoor by subtracting its task vector, and verify it", () => import("./clean/job.ts")],
  scan: ["is a model backdoored? Look for triggers of which nothing is known", () => import("./scan/job.ts")],
  "scan calibrate": ["how the scan shall judge models of yours", () => import("./scan-calibrate/job.ts")],
  attack: ["implant a backdoor in a model, and check that it succeeded", () => import("./attack/job.ts")],
  pretrain: ["train a small CLIP on images and captions, from nothing", () => import("./pretrain/job.ts")],
  eval: ["measure clean accuracy and attack success rate", () => import("./eval/job.ts")],
  xi: ["map where a clean task and a trigger leave each other alone", () => import("./xi/job.ts")],
  finetune: ["fine-tune a model on labelled images, cleanly", () => import("./finetune/job.ts")],
  "vector diff": ["tau = TO - FROM", () => import("./vector/job.ts")],
  "vector apply": ["MODEL + alpha VECTOR", () => import("./vector/job.ts")],
  "vector info": ["what a vector changes, and how far", () => import("./vector/job.ts")],
  "vector cosine": ["the angle between two vectors", () => import("./vector/job.ts")],
  inspect: ["what a file of weights holds, and whether its pickle is only that", () => import("./inspect/job.ts")],
  convert: ["rename a checkpoint's tensors: OpenAI, open_clip, Hugging Face", () => import("./convert/job.ts")],
  pull: ["fetch a model or data set from the Hugging Face hub", () => import("./pull/job.ts")],
  export: ["write a model as ONNX files for transformers.js and ONNX Runtime", () => import("./export/job.ts")],
  merge: ["merge models that were fine-tuned from one base", () => import("./merge/job.ts")],
  "trigger show": ["draw images without it, with it, and the difference", () => import("./trigger/job.ts")],
  embed: ["write embeddings of images and texts to a file", () => import("./embed/job.ts")],
  report: ["draw the report of a stored result again", () => import("./report/job.ts")],
};

export const jobs: Readonly<Record<string, Listed>> = Object.fromEntries(
  Object.entries(modules).map(([name, [summary, load]]) => [
    name,
    { summary, load: async () => jobOf(await load(), name) },
  ]),
);

const jobOf = (module: object, name: string) =>
  (Object.values(module) as Job[]).find((one) => one.name === name) as Job;

/** Commands that hold others. */
export const families: Readonly<Record<string, Page & { readonly summary: string }>> = {
  trigger: {
    summary: "look at a trigger",
    about: "A trigger is a description (badnet:size=16), a trigger.json, or what a checkpoint says of itself.",
    examples: ["tbar trigger show --model shapes-badnet --data shapes --out gallery.png"],
  },
  vector: {
    summary: "make, apply, describe and compare task vectors",
    about:
      "A task vector is the difference of two checkpoints' weights, tau = TO - FROM, kept as float32 in a safetensors file.",
    examples: [
      "tbar vector diff clip backdoored --out tau.safetensors",
      "tbar vector apply cleaned cleaned.vector.safetensors --out restored",
      "tbar vector apply backdoored tau.safetensors --alpha=-0.5 --out half",
    ],
  },
};
