/** tbar vector: arithmetic on checkpoints by hand. */
import { applyResult, cosineResult, vectorResult } from "../../results/vector.ts";
import { job } from "../job.ts";
import { applySpec, cosineSpec, diffSpec, infoSpec } from "./spec.ts";

export const vectorDiff = job({
  name: "vector diff",
  about: "Subtracts the weights of one checkpoint from those of another of the same architecture.",
  examples: ["tbar vector diff clip backdoored --out tau.safetensors"],
  spec: diffSpec,
  result: vectorResult,
  outputs: async ({ out }) => [out],
  run: async (spec, context) => (await import("./diff.ts")).diff(spec, context),
});

export const vectorApply = job({
  name: "vector apply",
  about:
    "Adds alpha times a vector to a checkpoint, in float32, and stores the sum as the checkpoint was. A vector left by " +
    "tbar clean knows its alpha: applied to the cleaned model without --alpha it gives the parent back. Subtract with --alpha=-1.",
  examples: [
    "tbar vector apply cleaned cleaned.vector.safetensors --out restored",
    "tbar vector apply backdoored tau.safetensors --alpha=-1.5 --out cleaned",
  ],
  spec: applySpec,
  result: applyResult,
  outputs: async ({ out }) => [out],
  run: async (spec, context) => (await import("./apply.ts")).apply(spec, context),
});

export const vectorInfo = job({
  name: "vector info",
  about: "Norms of a vector and of its parts, its alpha, and the SHA-256 of the weights it starts from.",
  examples: ["tbar vector info cleaned.vector.safetensors --json"],
  spec: infoSpec,
  result: vectorResult,
  run: async (spec) => (await import("./describe.ts")).info(spec),
});

export const vectorCosine = job({
  name: "vector cosine",
  about:
    "Cosine similarity over all values; a tensor that only one of the vectors changes counts as zero in the other.",
  examples: ["tbar vector cosine a.safetensors b.safetensors"],
  spec: cosineSpec,
  result: cosineResult,
  run: async (spec) => (await import("./describe.ts")).cosine(spec),
});
