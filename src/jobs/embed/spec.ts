/** What may be asked of embedding a data set. */
import { z } from "zod";
import { imageFields, images, input, modelFields, outFields, runFields, text } from "../fields.ts";

export const embedSpec = z.strictObject({
  ...modelFields,
  ...imageFields,
  texts: input(text(), "texts to encode, one a line", { names: "file", value: "file" }),
  images: input(images().optional(), "only the first ones (default: all; 1000 of shapes)", "number"),
  ...runFields,
  ...outFields("where the embeddings go", "where shall the embeddings go?", "file"),
});
