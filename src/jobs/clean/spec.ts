/** What may be asked of a cleaning. */
import { z } from "zod";
import {
  countOrNone,
  dataFields,
  images,
  imagesOrNone,
  input,
  isAsked,
  modelFields,
  outFields,
  output,
  recipeFields,
  runFields,
  share,
  stateField,
  text,
  under,
} from "../fields.ts";
import { triggerFields } from "../trigger-fields.ts";

const cleaning = under("Cleaning:");

export const cleanSpec = z.strictObject({
  ...modelFields,
  ...dataFields,
  ...triggerFields,
  cleanControl: input(
    text(),
    "the model before its attack, if there is one: its baseline ASR is what gone looks like",
    { names: "model", value: "path", was: ["--untouched"] },
  ),
  validationData: input(text(), "images to choose alpha on, if --data is not to be split for it", {
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
  limit: cleaning(share().optional(), "of the rule", "share"),
  recipe: z.strictObject(recipeFields).prefault({}),
  sizes: z
    .strictObject({
      forget: cleaning(images().default(1024), "images to forget", "number"),
      clean: cleaning(
        imagesOrNone().default(1024),
        "clean images for anchoring and Fisher weights; plain needs none",
        "number",
      ),
      validation: cleaning(
        images().default(560),
        "images to choose alpha on; 189 are the least that can verify 2 %",
        "number",
      ),
      test: cleaning(images().default(2000), "images to measure on", "number"),
    })
    .prefault({}),
  recovery: cleaning(
    countOrNone().default(200),
    "measure again after so many clean training steps: does the backdoor recover? 0 to leave it out",
    { value: "steps", was: ["--rebound"] },
  ),
  fullCurve: cleaning(isAsked(), "measure CA and ASR along all alphas for the report"),
  // 1000 are enough to see 2 %
  checks: cleaning(imagesOrNone().default(1000), "test images for each further check; 0 to leave them out", "number"),
  ...runFields,
  state: stateField,
  ...outFields(
    "where the cleaned checkpoint goes: a folder, or a file where --model is one",
    "where shall the cleaned checkpoint go?",
  ),
  report: output(text(), "an HTML page that shows it all", "file"),
});
export type CleanSpec = z.output<typeof cleanSpec>;
