/** What may be asked of embedding a data set. */
import { z } from "zod";
import { a, file, imageFields, input, modelFields, outFields, runFields } from "../fields.ts";

export const embedSpec = z.strictObject({
  ...modelFields,
  ...imageFields,
  texts: input(a.text(), "texts to encode, one a line", file),
  images: input(a.images().optional(), "only the first ones (default: all; 1000 of shapes)"),
  ...runFields,
  ...outFields("where the embeddings go", "where shall the embeddings go?", "file"),
});
export type EmbedSpec = z.output<typeof embedSpec>;
