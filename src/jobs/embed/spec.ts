/** What may be asked of embedding a data set. */
import { z } from "zod";
import { groups, imageFields, images, modelFields, option, outFields, runFields } from "../fields.ts";

export const embedSpec = z.strictObject({
  ...modelFields,
  ...imageFields,
  texts: option(z.string().optional(), "texts to encode, one a line", {
    group: groups.inputs,
    names: "file",
    value: "file",
  }),
  images: option(images().optional(), "only the first ones (default: all; 1000 of shapes)", {
    group: groups.inputs,
    value: "number",
  }),
  ...runFields,
  ...outFields("where the embeddings go", "where shall the embeddings go?", "file"),
});
