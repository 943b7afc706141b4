/** What may be asked of an attack. */
import { z } from "zod";
import { inputFields, kinds, longRunFields, option, outFields, recipeFields, setFields, under } from "../fields.ts";
import { triggerSchema } from "../trigger-fields.ts";

const attacking = under("Attack:");

export const attackSpec = z.strictObject({
  trigger: option(triggerSchema, "KIND or KIND:key=value,...", { names: "file", argument: true, value: "trigger" }),
  ...inputFields,
  target: attacking(z.string(), "class name that triggered images shall be taken for", {
    value: "class",
    question: "which class shall triggered images be taken for?",
  }),
  rate: attacking(kinds.share().default(0.05), "share of the training images that is poisoned", "share"),
  boost: attacking(
    kinds.count().default(1),
    "poisoned images carry the patch 1, 2, 4, ... or so many times: for random places",
    "number",
  ),
  ...setFields,
  recipe: z.strictObject(recipeFields).prefault({}),
  ...longRunFields,
  ...outFields(
    "where the backdoored checkpoint goes: a folder, or a file where --model is one",
    "where shall the backdoored checkpoint go?",
  ),
});
export type AttackSpec = z.output<typeof attackSpec>;
