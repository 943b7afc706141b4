/** What may be asked of embedding a data set. */
import { z } from "zod";
import { imageFields, input, kinds, modelFields, outFields, runFields } from "../fields.ts";

export const embedSpec = z.strictObject({
  ...modelFields,
  ...imageFields,
  texts: input(kinds.text(), "texts to encode, one a line", { names: "file", value: "file" }),
  images: input(kinds.images().optional(), "only the first ones (default: all; 1000 of shapes)", "number"),
  ...runFields,
  ...outFields("where the embeddings go", "where shall the embeddings go?", "file"),
});
export type EmbedSpec = z.output<typeof embedSpec>;
