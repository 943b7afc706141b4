/** What drawing a trigger leaves behind: how many pixels it changes, and how far. */
import { z } from "zod";
import { type Frozen, madeHead, maybe } from "./base.ts";
import { storedTrigger } from "./trigger.ts";

const viewFields = {
  trigger: storedTrigger,
  images: z.number(),
  size: z.number().describe("Side of the images."),
  changed: z.number().describe("Share of the pixels that are changed, in mean over the images."),
  largest: z.number().describe("Largest and mean |triggered - clean| of all values in [0, 1]."),
  mean: z.number(),
  factor: z.number().describe("What the difference is multiplied by in the picture."),
};

export const triggerResult = z.looseObject({
  ...madeHead("trigger", 2),
  ...viewFields,
  target: maybe(z.string(), "Class name, where it is known."),
  out: z.string(),
});
export type TriggerResult = Frozen<z.output<typeof triggerResult>>;
export type TriggerView = Pick<TriggerResult, keyof typeof viewFields>;
