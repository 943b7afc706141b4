/** What may be asked of a cleaning. */
import { z } from "zod";
import {
  countOrNone,
  dataFields,
  groups,
  images,
  imagesOrNone,
  modelFields,
  option,
  outFields,
  recipeFields,
  runFields,
  share,
  stateField,
} from "../fields.ts";
import { triggerFields } from "../trigger-fields.ts";

const inputs = { group: groups.inputs } as const;
const cleaning = { group: "Cleaning:" } as const;
const number = { ...cleaning, value: "number" } as const;

export const cleanSpec = z.strictObject({
  ...modelFields,
  ...dataFields,
  ...triggerFields,
  cleanControl: option(
    z.string().optional(),
    "the model before its attack, if there is one: its baseline ASR is what gone looks like",
    { ...inputs, names: "model", value: "path", was: ["--untouched"] },
  ),
  validationData: option(z.string().optional(), "images to choose alpha on, if --data is not to be split for it", {
    ...inputs,
    names: "file",
    value: "path",
  }),
  methods: option(
    z.array(z.string()).default(["plain", "anchored", "fisher"]),
    "defenses: names below, or all; several with commas",
    { ...cleaning, name: "method", value: "name" },
  ),
  rule: option(z.string().default("verified"), "how alpha is chosen: verified, retain, smallest or difference", {
    ...cleaning,
    value: "name",
  }),
  limit: option(share().optional(), "of the rule", { ...cleaning, value: "share" }),
  recipe: z.strictObject(recipeFields).prefault({}),
  sizes: z
    .strictObject({
      forget: option(images().default(1024), "images to forget", number),
      clean: option(
        imagesOrNone().default(1024),
        "clean images for anchoring and Fisher weights; plain needs none",
        number,
      ),
      validation: option(
        images().default(560),
        "images to choose alpha on; 189 are the least that can verify 2 %",
        number,
      ),
      test: option(images().default(2000), "images to measure on", number),
    })
    .prefault({}),
  recovery: option(
    countOrNone().default(200),
    "measure again after so many clean training steps: does the backdoor recover? 0 to leave it out",
    { ...cleaning, value: "steps", was: ["--rebound"] },
  ),
  fullCurve: option(z.boolean().default(false), "measure CA and ASR along all alphas for the report", cleaning),
  checks: option(
    imagesOrNone().default(1000), // enough to see 2 %
    "test images for each further check; 0 to leave them out",
    number,
  ),
  ...runFields,
  state: stateField,
  ...outFields(
    "where the cleaned checkpoint goes: a folder, or a file where --model is one",
    "where shall the cleaned checkpoint go?",
  ),
  report: option(z.string().optional(), "an HTML page that shows it all", {
    group: groups.output,
    value: "file",
    machine: true,
  }),
});
export type CleanSpec = z.output<typeof cleanSpec>;
