/** Jobs as JSON Schema, for editors and programs: what may be asked of one, and what it answers. */
import { z } from "zod";
import type { Job } from "./job.ts";

/** The root is the spec, as --config takes it; `$defs/result` is the document that --json prints. */
export function schemaOf({ name, about, spec, result }: Pick<Job, "name" | "about" | "spec" | "result">): object {
  // input: before defaults are filled in, and null where a number in memory is NaN
  const draft = (schema: z.ZodType) => {
    const { $schema, ...rest } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any", override: withoutSafe });
    return rest;
  };
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: `tbar ${name}`,
    description: about,
    ...draft(spec),
    $defs: { result: draft(result) },
  };
}

/** That a whole number is one that a float can hold is nothing to tell. */
function withoutSafe({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
}
