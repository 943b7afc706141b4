/** tbar eval: measure a checkpoint, or once more what a receipt claims. */
import { metrics } from "../../metrics/index.ts";
import { evalResult } from "../../results/eval.ts";
import { job } from "../job.ts";
import { evalSpec } from "./spec.ts";

export const evaluation = job({
  name: "eval",
  about:
    "Measures zero-shot accuracy (CA) and, where a trigger is known, the share of triggered images of other classes " +
    "that are taken for the target (ASR), beside the share of the same images without the trigger: the difference says whether there is a " +
    "backdoor, with 95 % intervals. With --receipt it measures a cleaned " +
    "checkpoint again on the images its receipt was measured on (files of yours: name them with --data), and exits with 1 if " +
    "the figures do not agree. The model may " +
    "also be one in ONNX: a folder of tbar export, or one of its files, such as onnx/model_quantized.onnx.",
  examples: [
    "tbar eval --model shapes --data shapes",
    "tbar eval --model clip --data photos --trigger badnet:place=middle --target dog",
    "tbar eval --model cleaned --receipt cleaned/receipt.json",
    "tbar eval --model exported/onnx/model_quantized.onnx --data photos",
  ],
  notes: `Metrics (--metric):\n${metrics.map(({ name, about }) => `  ${name.padEnd(10)} ${about}`).join("\n")}`,
  spec: evalSpec,
  result: evalResult,
  plan: async (spec, context) => (await import("./plan.ts")).planEvaluation(spec, context),
  run: async (spec, context) => (await import("./run.ts")).evaluate(spec, context),
  succeeded: ({ receipt }) => receipt?.agrees ?? true,
});
