/** What drawing a trigger leaves behind: how many pixels it changes, and how far. */
import { z } from "zod";
import { type Frozen, madeFields, resultHead } from "./base.ts";
import { storedTrigger } from "./trigger.ts";

const viewFields = {
  trigger: storedTrigger,
  images: z.number(),
  /** Side of the images. */
  size: z.number(),
  /** Share of the pixels that are changed, in mean over the images. */
  changed: z.number(),
  /** Largest and mean |triggered - clean| of all values in [0, 1]. */
  largest: z.number(),
  mean: z.number(),
  /** What the difference is multiplied by in the picture. */
  factor: z.number(),
};

export const triggerResult = z.looseObject({
  ...resultHead("trigger", 2),
  ...madeFields,
  ...viewFields,
  /** Class name, where it is known. */
  target: z.string().optional(),
  out: z.string(),
});
export type TriggerResult = Frozen<z.output<typeof triggerResult>>;
export type TriggerView = Pick<TriggerResult, keyof typeof viewFields>;
