/** What the arithmetic of task vectors leaves behind. */
import { z } from "zod";
import { type Frozen, implanted, maybe, outputFile, readingFields, resultHead } from "./base.ts";

/** The angle between two vectors in each part of the model, and their norms there. */
export const partCosines = z.array(
  z.looseObject({ name: z.string(), cosine: z.number(), norms: z.tuple([z.number(), z.number()]) }),
);

const turned = implanted.extend({ adding: z.enum(["implants", "removes"]) });
const measured = {
  values: z.number().describe("Values that it changes."),
  norm: z.number().describe("L2 norm."),
};

/** Of `vector diff` and `vector info`. */
export const vectorResult = z.looseObject({
  ...resultHead("vector", 2),
  ...readingFields,
  path: z.string(),
  bytes: z.number().describe("Of the file."),
  alpha: maybe(z.number(), "What a cleaning subtracted is alpha tau."),
  parent: maybe(z.string(), "SHA-256 of the weights that the vector starts from."),
  backdoors: maybe(z.array(turned), "Backdoors that adding it brings, or takes away."),
  tensors: z.number().describe("Tensors that it changes."),
  ...measured,
  groups: z
    .array(z.looseObject({ name: z.string(), ...measured }))
    .describe("The same by part of the model, in the order of the file."),
});
export type VectorResult = Frozen<z.output<typeof vectorResult>>;

export const applyResult = z.looseObject({
  ...resultHead("apply", 2),
  ...readingFields,
  model: z.string(),
  vector: z.string(),
  alpha: z.number(),
  floored: maybe(z.number(), "Running variances that would have fallen below zero and are zero now."),
  brought: maybe(z.array(implanted), "Backdoors that the vector brought; the sum declares them too."),
  declared: maybe(z.array(implanted), "Those that the model declared; what the vector takes away stays till measured."),
  output: outputFile,
});
export type ApplyResult = Frozen<z.output<typeof applyResult>>;

export const cosineResult = z.looseObject({
  ...resultHead("cosine", 2),
  cosine: z.number(),
  norms: z.tuple([z.number(), z.number()]),
  shared: z.number().describe("Tensors that both vectors change."),
  groups: maybe(partCosines, "The same by part of the model; absent in results of 0.1.0."),
});
export type CosineResult = Frozen<z.output<typeof cosineResult>>;
