/** What may be asked of a conversion. */
import { z } from "zod";
import { keyStyles } from "../../checkpoint/names/key-styles.ts";
import { neededOut, option, readingFields, under, weightsText } from "../fields.ts";

const known = keyStyles.join(", ");

export const convertSpec = z.strictObject({
  model: option(z.string(), `checkpoint: ${weightsText}`, { names: "model", argument: true, value: "model" }),
  ...readingFields,
  to: under("Names:")(z.enum(keyStyles), `whose names: ${known}`, {
    value: "names",
    kind: "kind of names",
    question: `whose names? ${known}`,
  }),
  ...neededOut(
    "where it goes: a folder, or a file where it ends in .safetensors",
    "where shall it go? A folder, or a file.safetensors",
  ),
});
export type ConvertSpec = z.output<typeof convertSpec>;
