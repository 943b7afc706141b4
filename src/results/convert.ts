/** What a conversion leaves behind. */
import { z } from "zod";
import { keyStyles } from "../checkpoint/names/key-styles.ts";
import { type Frozen, maybe, outputFile, readingFields, resultHead, strings } from "./base.ts";

export const convertResult = z.looseObject({
  ...resultHead("convert", 2),
  ...readingFields,
  model: z.string(),
  architecture: z.string(),
  to: z.enum(keyStyles),
  tensors: z.number().describe("Tensors written."),
  leftOut: strings.describe("Tensors that hold no parameter and have no place under the new names."),
  pixels: maybe(z.string(), "How the other program reads images differently; absent where it does not."),
  output: outputFile,
});
export type ConvertResult = Frozen<z.output<typeof convertResult>>;
