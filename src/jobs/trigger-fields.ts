/** How a spec says what is known of an attack. */
import { z } from "zod";
import { triggerSpec } from "../attacks/index.ts";
import { count, groups, option } from "./fields.ts";

const inputs = { group: groups.inputs } as const;

/** A trigger as text (KIND:key=value,..., a trigger.json, a folder) or as the object that results hold. */
export const triggerSchema = z.union([z.string(), triggerSpec]);

/** The trigger to remove or to measure. */
export const triggerFields = {
  trigger: option(
    triggerSchema.optional(),
    "KIND:key=value,..., a trigger.json, or a folder of triggered images (default: what the checkpoint says of itself)",
    { ...inputs, names: "file", value: "spec" },
  ),
  triggerIndex: option(count().optional(), "which of the checkpoint's triggers, if it carries several", {
    ...inputs,
    value: "number",
  }),
  target: option(z.string().optional(), "class name that the trigger leads to (default: likewise)", {
    ...inputs,
    value: "class",
  }),
};
