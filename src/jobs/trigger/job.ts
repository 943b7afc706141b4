/** tbar trigger show: what a trigger does to images. */
import { triggerResult } from "../../results/trigger-view.ts";
import { job } from "../job.ts";
import { triggerSpec } from "./spec.ts";

export const triggerShow = job({
  name: "trigger show",
  about:
    "Draws a PNG of three rows: images as they are, the same with the trigger on, and what differs, amplified around grey; " +
    "and says how many pixels change and how far.",
  examples: [
    "tbar trigger show blended:ratio=0.1 --data photos --out gallery.png",
    "tbar trigger show bad/trigger.json --data photos --size 224 --out gallery.png",
    "tbar trigger show picture:picture=logo.png,size=32 --data photos --out gallery.png",
    "tbar trigger show --model shapes-badnet --data shapes --out gallery.png",
  ],
  spec: triggerSpec,
  result: triggerResult,
  outputs: async ({ out }) => [out],
  run: async (spec, context) => (await import("./run.ts")).showTrigger(spec, context),
});
