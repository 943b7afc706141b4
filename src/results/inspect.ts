/** What a look at a file of weights finds. */
import { z } from "zod";
import { type Frozen, maybe, readingFields, resultHead, strings } from "./base.ts";

const pickle = z.looseObject({
  where: z.string().describe('The entry of the archive, or "pickle 1" and so on of a file without one.'),
  names: z
    .array(z.looseObject({ name: z.string(), known: z.boolean() }))
    .describe('"module name" of all it would import; known are those that weights need.'),
  opcodes: z.record(z.string(), z.number()).describe("How often each opcode stands there."),
  suspicious: strings.describe("What weights do not need, in words; empty for a file as torch.save writes it."),
});

export const inspectResult = z.looseObject({
  ...resultHead("inspect", 2),
  ...readingFields,
  path: z.string().describe("The file with the weights, or the index of several."),
  format: z.enum(["safetensors", "sharded", "torch", "pickle", "onnx", "unknown"]),
  files: strings,
  bytes: z.number().describe("Of all files together, as is the SHA-256."),
  sha256: z.string(),
  official: maybe(z.string(), "Whose file it is, when its makers published a hash of it."),
  script: maybe(z.boolean(), "A TorchScript archive: code lies beside the weights, which torch.jit.load would run."),
  refused: maybe(z.string(), "Why tbar eval would refuse it; absent where it would not."),
  model: maybe(
    z.looseObject({
      layout: z.enum(["hf", "openai", "onnx"]),
      architecture: z.string(),
      parameters: z.number(),
      preprocess: z.string(),
      activation: z.string(),
    }),
    "The model in it, where there is one.",
  ),
  dtypes: z.array(z.looseObject({ dtype: z.string(), tensors: z.number(), values: z.number() })),
  tensors: z.array(z.looseObject({ name: z.string(), dtype: z.string(), shape: z.array(z.number()) })),
  metadata: z.record(z.string(), z.string()),
  declared: maybe(z.string(), "The backdoor that the metadata declare, in words."),
  pickles: z.array(pickle),
  suspicious: strings.describe("What its pickles have that weights do not need; what else it can be read as."),
});
export type InspectResult = Frozen<z.output<typeof inspectResult>>;
