/** What may be asked of an attack. */
import { z } from "zod";
import { a, checkpointOut, inputFields, longRunFields, option, setFields, under } from "../fields.ts";
import { learningFields } from "../learning-fields.ts";
import { triggerSchema } from "../trigger-fields.ts";

const attacking = under("Attack:");

export const attackSpec = z.strictObject({
  trigger: option(triggerSchema, "KIND or KIND:key=value,...", { names: "file", argument: true, value: "trigger" }),
  ...inputFields,
  target: attacking(z.string(), "class name that triggered images shall be taken for", {
    value: "class",
    question: "which class shall triggered images be taken for?",
  }),
  rate: attacking(a.share().default(0.05), "share of the training images that is poisoned", "share"),
  boost: attacking(
    a.count().default(1),
    "poisoned images carry the patch 1, 2, 4, ... or so many times: for random places",
  ),
  ...setFields,
  recipe: z.strictObject(learningFields).prefault({}),
  ...longRunFields,
  ...checkpointOut("backdoored"),
});
export type AttackSpec = z.output<typeof attackSpec>;
