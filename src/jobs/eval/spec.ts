/** What may be asked of a measuring. */
import { z } from "zod";
import { a, dataFields, input, inputFields, ofRun, path, runFields, under } from "../fields.ts";
import { triggerFields } from "../trigger-fields.ts";

/** Unless told, or a receipt says otherwise. */
export const usual = { seed: 1, testImages: 2000 } as const;

const measuring = under("Measuring:");

export const evalSpec = z.strictObject({
  ...inputFields,
  data: input(a.text(), `${dataFields.data.description} (default: what the receipt names, where that ships)`, path),
  ...triggerFields,
  receipt: input(a.text(), "receipt.json of tbar clean, or the folder it lies in", {
    names: "file",
    value: "file",
  }),
  testImages: measuring(
    a.images().optional(),
    `images to measure on (default: ${usual.testImages}, or the receipt's)`,
    {
      name: "test",
      value: "number",
    },
  ),
  metrics: measuring(z.array(z.string()).default([]), "further metrics: names below, or all; several with commas", {
    name: "metric",
    value: "name",
  }),
  reference: measuring(
    a.text(),
    "another checkpoint, such as the one before its attack or cleaning: how much of its accuracy is kept, how often both say the same",
    { names: "model", value: "path" },
  ),
  also: measuring(
    z.array(z.string()).optional(),
    "other data sets to measure clean accuracy on, paths or label sets of the world (shapes:texture); several with commas",
    path,
  ),
  ...runFields,
  seed: ofRun(a.countOrNone().optional(), `${runFields.seed.description} (default: ${usual.seed}, or the receipt's)`),
});
export type EvalSpec = z.output<typeof evalSpec>;
