/** What may be asked of the demo. */
import { z } from "zod";
import { forceField, output, runFields } from "../fields.ts";

export const demoSpec = z.strictObject({
  ...runFields,
  out: output(z.string().default("tbar-demo"), "for the cleaned checkpoint and the report", "folder"),
  force: forceField(),
});
export type DemoSpec = z.output<typeof demoSpec>;
