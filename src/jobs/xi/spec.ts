/** What may be asked of a map of the weight disentanglement error. */
import { z } from "zod";
import {
  a,
  checkpointField,
  dataFields,
  file,
  forceField,
  input,
  longRunFields,
  output,
  readingFields,
  recipeFields,
  under,
} from "../fields.ts";
import { triggerFields } from "../trigger-fields.ts";

const grid = under("Grid:");
const vectors = under("Vectors:");
const model = { names: "model", value: "path" } as const;

/** How tau_t is made where no file holds it. */
export const origins = ["triggered", "difference"] as const;

export const xiSpec = z.strictObject({
  origin: checkpointField(
    z.string(),
    "from which model do both vectors start? The one before the attack: --origin shapes",
  ),
  model: input(
    a.text(),
    "the backdoored checkpoint: what it says of its trigger is taken, with --trigger-from difference its weights too",
    model,
  ),
  ...readingFields,
  ...dataFields,
  ...triggerFields,
  cleanModel: vectors(
    a.text(),
    "a checkpoint that was fine-tuned from --origin on clean images: tau_c is the difference",
    model,
  ),
  cleanVector: vectors(
    a.text(),
    "tau_c from a file of tbar vector diff (without either: --origin is fine-tuned on clean images)",
    file,
  ),
  triggerVector: vectors(a.text(), "tau_t from such a file", file),
  triggerFrom: vectors(
    z.enum(origins).default("triggered"),
    "tau_t without a file: --origin fine-tuned on triggered images alone (as a cleaning learns its forget set), or --model less the sum of --origin and tau_c",
    "which",
  ),
  images: vectors(a.images().default(8000), "clean images that tau_c is fine-tuned on"),
  triggered: vectors(a.images().default(1024), "triggered images that tau_t is fine-tuned on"),
  recipe: z.strictObject(recipeFields).prefault({}),
  reach: grid(a.positive().max(100).default(2), "alphas from minus this to this, on both axes", "alpha"),
  step: grid(a.positive().default(0.25), "between two alphas", "alpha"),
  testImages: grid(
    a.images().default(1000),
    "images of each kind to measure on: clean ones, and others with the trigger",
    { name: "test" },
  ),
  ...longRunFields,
  report: output(a.text(), "an HTML page with the maps", "file"),
  force: forceField(),
});
export type XiSpec = z.output<typeof xiSpec>;
