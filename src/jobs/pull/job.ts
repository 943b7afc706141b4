/** tbar pull: models and data sets from the hub. */
import { pullResult } from "../../results/pull.ts";
import { job } from "../job.ts";
import { pullSpec } from "./spec.ts";

export const pull = job({
  name: "pull",
  about:
    "Fetches the files of a repository at a branch, tag or commit into the cache that Python's huggingface_hub shares, goes on " +
    "where an earlier call ended, and checks every file against the hub's checksum. Models come as safetensors, json and txt.",
  notes: `Environment:
  HF_ENDPOINT      a mirror of the hub (default: https://huggingface.co)
  HF_TOKEN         for private and gated repositories; sent to the endpoint only. Else the token that hf auth login left is
  HF_HUB_CACHE     where the cache is (default: hub in HF_HOME, or ~/.cache/huggingface/hub)
  HF_HUB_OFFLINE   1: look into the cache only

Afterwards --model OWNER/NAME, or hf:OWNER/NAME@REVISION, stands for the files in the cache.`,
  examples: [
    "tbar pull openai/clip-vit-base-patch32",
    "tbar pull laion/CLIP-ViT-B-32-laion2B-s34B-b79K --include 'open_clip*' --revision main",
    "tbar pull datasets/cifar100 --include '*.parquet'",
  ],
  spec: pullSpec,
  result: pullResult,
  run: async (spec, context) => (await import("./run.ts")).pull(spec, context),
});
