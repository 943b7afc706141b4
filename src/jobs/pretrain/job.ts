/** tbar pretrain: a small CLIP from nothing. */
import { pretrainResult } from "../../results/pretrain.ts";
import { job } from "../job.ts";
import { pretrainSpec } from "./spec.ts";

export const pretrain = job({
  name: "pretrain",
  about:
    "Contrastive training of both towers on captioned images (labels become captions by the templates), a word-level " +
    "vocabulary, and a Hugging Face folder as the result. Its state is kept in OUT.state: the same command " +
    "goes on where a run was stopped or killed. The defaults make the model that ships with tbar.",
  examples: [
    "tbar pretrain --data shapes --out clip",
    "tbar pretrain --data captions.csv --image-size 112 --patch-size 16 --steps 20000 --out clip",
    "tbar pretrain --data shapes --out clip --dry-run",
  ],
  spec: pretrainSpec,
  result: pretrainResult,
  outputs: async ({ out }) => [out],
  plan: async (spec, context) => (await import("./plan.ts")).planPretrain(spec, context),
  run: async (spec, context) => (await import("./run.ts")).pretrain(spec, context),
});
