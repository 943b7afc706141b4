/** How a spec says what is known of an attack. */
import { z } from "zod";
import { triggerSpec } from "../attacks/index.ts";
import { a, input } from "./fields.ts";

/** A trigger as text (KIND:key=value,..., a trigger.json, a folder) or as the object that results hold. */
export const triggerSchema = z.union([z.string(), triggerSpec]);

/** The trigger to remove or to measure. */
export const triggerFields = {
  trigger: input(
    triggerSchema.optional(),
    "KIND:key=value,..., a trigger.json, or a folder of triggered images (default: what the checkpoint says of itself)",
    { names: "file", value: "spec" },
  ),
  triggerIndex: input(a.count().optional(), "which of the checkpoint's triggers, if it carries several"),
  target: input(a.text(), "class name that the trigger leads to (default: likewise)", "class"),
};
