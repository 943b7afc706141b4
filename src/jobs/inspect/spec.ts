/** What may be asked of an inspection. */
import { z } from "zod";
import { option, readingFields, weightsText } from "../fields.ts";

export const inspectSpec = z.strictObject({
  path: option(z.string(), weightsText, { names: "file", argument: true, value: "path" }),
  ...readingFields,
});
export type InspectSpec = z.output<typeof inspectSpec>;
