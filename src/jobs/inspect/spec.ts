/** What may be asked of an inspection. */
import { z } from "zod";
import { option, readingFields } from "../fields.ts";

export const inspectSpec = z.strictObject({
  path: option(z.string(), "a folder, .safetensors, .pt, .bin, or an index of shards", {
    names: "file",
    argument: true,
    value: "path",
  }),
  ...readingFields,
});
