/** All jobs: what commands, library, schemas, manuals and sweeps are made of. A new one is an entry here. */
import type { Job } from "./job.ts";

/** A job as lists know it; the rest is loaded when it is asked for. */
export interface Listed {
  /** A few words. */
  readonly summary: string;
  load(): Promise<Job>;
}

/** By name, in the order of the help page. A name of two words is a command within a command. */
export const jobs: Readonly<Record<string, Listed>> = {
  demo: {
    summary: "watch a backdoor being removed from a CLIP that ships with tbar",
    load: async () => (await import("./demo/job.ts")).demo,
  },
  clean: {
    summary: "remove a backdoor by subtracting its task vector, and verify it",
    load: async () => (await import("./clean/job.ts")).clean,
  },
  attack: {
    summary: "implant a backdoor in a model, and check that it succeeded",
    load: async () => (await import("./attack/job.ts")).attack,
  },
  pretrain: {
    summary: "train a small CLIP on images and captions, from nothing",
    load: async () => (await import("./pretrain/job.ts")).pretrain,
  },
  eval: {
    summary: "measure clean accuracy and attack success rate",
    load: async () => (await import("./eval/job.ts")).evaluation,
  },
  finetune: {
    summary: "fine-tune a model on labelled images, cleanly",
    load: async () => (await import("./finetune/job.ts")).finetune,
  },
  "vector diff": { summary: "tau = TO - FROM", load: async () => (await import("./vector/job.ts")).vectorDiff },
  "vector apply": { summary: "MODEL + alpha VECTOR", load: async () => (await import("./vector/job.ts")).vectorApply },
  "vector info": {
    summary: "what a vector changes, and how far",
    load: async () => (await import("./vector/job.ts")).vectorInfo,
  },
  "vector cosine": {
    summary: "the angle between two vectors",
    load: async () => (await import("./vector/job.ts")).vectorCosine,
  },
  inspect: {
    summary: "what a file of weights holds, and whether its pickle is only that",
    load: async () => (await import("./inspect/job.ts")).inspect,
  },
  convert: {
    summary: "rename a checkpoint's tensors: OpenAI, open_clip, Hugging Face",
    load: async () => (await import("./convert/job.ts")).convert,
  },
  pull: {
    summary: "fetch a model or data set from the Hugging Face hub",
    load: async () => (await import("./pull/job.ts")).pull,
  },
  export: {
    summary: "write a model as ONNX files for transformers.js and ONNX Runtime",
    load: async () => (await import("./export/job.ts")).exportOnnx,
  },
  merge: {
    summary: "merge models that were fine-tuned from one base",
    load: async () => (await import("./merge/job.ts")).merge,
  },
  "trigger show": {
    summary: "draw images without it, with it, and the difference",
    load: async () => (await import("./trigger/job.ts")).triggerShow,
  },
  embed: {
    summary: "write embeddings of images and texts to a file",
    load: async () => (await import("./embed/job.ts")).embed,
  },
  report: {
    summary: "draw the report of a stored result again",
    load: async () => (await import("./report/job.ts")).report,
  },
};

/** Commands that hold others. */
export const families: Readonly<
  Record<string, { readonly summary: string; readonly about: string; readonly examples: readonly string[] }>
> = {
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
