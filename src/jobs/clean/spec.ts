/** What may be asked of a cleaning. */
import { z } from "zod";
import { a, checkpointOut, input, inputFields, longRunFields, output, path, training, under } from "../fields.ts";
import { learningFields, lessLearns } from "../learning-fields.ts";
import { usually } from "../spec.ts";
import { triggerFields } from "../trigger-fields.ts";

const cleaning = under("Cleaning:");

/** As many as TBAR forgets on image-text data (arXiv 2510.14845). */
const pairsToForget = 1500;

export const cleanSpec = z.strictObject({
  ...inputFields,
  ...triggerFields,
  unknown: cleaning(
    a.isAsked(),
    "nothing is known of the attack: scan, clean on the triggers that are recovered, scan again; writes nothing where no backdoor is found",
  ),
  suspect: cleaning(a.text(), "with --unknown: the class that you suspect the attack leads to", "class"),
  base: input(
    a.text(),
    "with --unknown: the model that it was made from, if you have it: the scans compare with it and see more",
    { names: "model", value: "path" },
  ),
  rounds: cleaning(
    z.int().min(1).max(10).default(3),
    "with --unknown: rounds of cleaning, as long as the scan still finds a target or recovered triggers still work",
  ),
  cleanControl: input(
    a.text(),
    "the model before its attack, or another that is clean: its baseline ASR is what gone looks like, and the verdict asks for half of what it still reads with the trigger on",
    { names: "model", value: "path", was: ["--untouched"] },
  ),
  validationData: input(a.text(), "images to choose alpha on, if --data is not to be split for it", path),
  trainingData: input(
    a.text(),
    "what the model was trained on, poison and all, for the method abl; where the trigger is known a set stands for it",
    path,
  ),
  methods: cleaning(
    z.array(z.string()).default(["tbar"]),
    "defenses: tbar (plain and erase; anchored and fisher where these do not suffice), all, or names below; several with commas",
    { name: "method", value: "name" },
  ),
  learned: cleaning(
    a.text(),
    "a checkpoint that has learned the forget set (tbar finetune --trigger-share): its vector is taken in place of a fine-tuning",
    { names: "model", value: "path" },
  ),
  learnedFrom: cleaning(
    a.text(),
    "what --learned was made from, if that is not --model: the vector is of another model, or another task",
    { names: "model", value: "path" },
  ),
  rule: cleaning(
    a.text(),
    'how alpha is chosen: verified, retain, smallest, difference or agreement; with --unknown agreement unless told (default: "verified")',
    "name",
  ),
  limit: cleaning(a.share().optional(), "of the rule", "share"),
  recipe: z
    .strictObject({
      ...learningFields,
      modules: training(
        lessLearns.modules.optional(),
        "what learns where a vector is made: all (the default), of the image tower last-block or projection alone, or low-rank factors beside the matrices (lora): less memory, less time",
        "which",
      ),
      rank: lessLearns.rank,
    })
    .prefault({}),
  sizes: z
    .strictObject({
      forget: cleaning(a.images().default(1024), `images to forget; by contrast ${pairsToForget} unless told`),
      clean: cleaning(
        a.imagesOrNone().default(1024),
        "clean images for anchoring and Fisher weights; plain needs none",
      ),
      validation: cleaning(a.images().default(560), "images to choose alpha on; 189 are the least that can verify 2 %"),
      test: cleaning(a.images().default(2000), "images to measure on"),
    })
    .prefault({}),
  recovery: cleaning(
    a.countOrNone().default(200),
    "measure again after so many clean training steps: does the backdoor recover? 0 to leave it out",
    { value: "steps", was: ["--rebound"] },
  ),
  fullCurve: cleaning(a.isAsked(), "measure CA and ASR along all alphas for the report"),
  // 1000 are enough to see 2 %
  checks: cleaning(a.imagesOrNone().default(1000), "test images for each further check; 0 to leave them out"),
  ...longRunFields,
  ...checkpointOut("cleaned"),
  report: output(a.text(), "an HTML page that shows it all", "file"),
});
usually.set(cleanSpec, (asked) => {
  const { recipe, sizes } = (asked ?? {}) as {
    readonly recipe?: { readonly objective?: unknown };
    readonly sizes?: { readonly forget?: unknown };
  };
  if (recipe?.objective !== "contrastive") return asked;
  return { ...(asked as object), sizes: { ...sizes, forget: sizes?.forget ?? pairsToForget } };
});
export type CleanSpec = z.output<typeof cleanSpec>;
