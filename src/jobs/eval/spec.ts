/** What may be asked of a measuring. */
import { z } from "zod";
import { countOrNone, dataFields, groups, images, modelFields, option, runFields } from "../fields.ts";
import { triggerFields } from "../trigger-fields.ts";

const inputs = { group: groups.inputs } as const;
/** Unless told, or a receipt says otherwise. */
export const usual = { seed: 1, testImages: 2000 } as const;

export const evalSpec = z.strictObject({
  ...modelFields,
  ...dataFields,
  data: option(
    z.string().optional(),
    `${dataFields.data.description} (default: what the receipt names, where that ships)`,
    { ...inputs, names: "file", value: "path" },
  ),
  ...triggerFields,
  receipt: option(z.string().optional(), "receipt.json of tbar clean, or the folder it lies in", {
    ...inputs,
    names: "file",
    value: "file",
  }),
  testImages: option(images().optional(), `images to measure on (default: ${usual.testImages}, or the receipt's)`, {
    group: "Measuring:",
    name: "test",
    value: "number",
  }),
  metrics: option(z.array(z.string()).default([]), "further metrics: names below, or all; several with commas", {
    group: "Measuring:",
    name: "metric",
    value: "name",
  }),
  ...runFields,
  seed: option(countOrNone().optional(), `${runFields.seed.description} (default: ${usual.seed}, or the receipt's)`, {
    group: groups.run,
    value: "number",
  }),
});
export type EvalSpec = z.output<typeof evalSpec>;
