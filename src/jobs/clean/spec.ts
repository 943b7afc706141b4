/** What may be asked of a cleaning. */
import { z } from "zod";
import { input, inputFields, kinds, longRunFields, outFields, output, recipeFields, under } from "../fields.ts";
import { triggerFields } from "../trigger-fields.ts";

const cleaning = under("Cleaning:");

export const cleanSpec = z.strictObject({
  ...inputFields,
  ...triggerFields,
  cleanControl: input(
    kinds.text(),
    "the model before its attack, if there is one: its baseline ASR is what gone looks like",
    { names: "model", value: "path", was: ["--untouched"] },
  ),
  validationData: input(kinds.text(), "images to choose alpha on, if --data is not to be split for it", {
    names: "file",
    value: "path",
  }),
  methods: cleaning(
    z.array(z.string()).default(["plain", "anchored", "fisher"]),
    "defenses: names below, or all; several with commas",
    { name: "method", value: "name" },
  ),
  rule: cleaning(
    z.string().default("verified"),
    "how alpha is chosen: verified, retain, smallest or difference",
    "name",
  ),
  limit: cleaning(kinds.share().optional(), "of the rule", "share"),
  recipe: z.strictObject(recipeFields).prefault({}),
  sizes: z
    .strictObject({
      forget: cleaning(kinds.images().default(1024), "images to forget", "number"),
      clean: cleaning(
        kinds.imagesOrNone().default(1024),
        "clean images for anchoring and Fisher weights; plain needs none",
        "number",
      ),
      validation: cleaning(
        kinds.images().default(560),
        "images to choose alpha on; 189 are the least that can verify 2 %",
        "number",
      ),
      test: cleaning(kinds.images().default(2000), "images to measure on", "number"),
    })
    .prefault({}),
  recovery: cleaning(
    kinds.countOrNone().default(200),
    "measure again after so many clean training steps: does the backdoor recover? 0 to leave it out",
    { value: "steps", was: ["--rebound"] },
  ),
  fullCurve: cleaning(kinds.isAsked(), "measure CA and ASR along all alphas for the report"),
  // 1000 are enough to see 2 %
  checks: cleaning(
    kinds.imagesOrNone().default(1000),
    "test images for each further check; 0 to leave them out",
    "number",
  ),
  ...longRunFields,
  ...outFields(
    "where the cleaned checkpoint goes: a folder, or a file where --model is one",
    "where shall the cleaned checkpoint go?",
  ),
  report: output(kinds.text(), "an HTML page that shows it all", "file"),
});
export type CleanSpec = z.output<typeof cleanSpec>;
