/** What may be asked of the demo. */
import { z } from "zod";
import { groups, option, outFields, runFields } from "../fields.ts";

export const demoSpec = z.strictObject({
  ...runFields,
  out: option(z.string().default("tbar-demo"), "for the cleaned checkpoint and the report", {
    group: groups.output,
    value: "folder",
    machine: true,
  }),
  force: outFields("", "").force,
});
export type DemoSpec = z.output<typeof demoSpec>;
