/** tbar export: a checkpoint as ONNX. */
import { exportResult } from "../../results/export.ts";
import { job } from "../job.ts";
import { exportSpec } from "./spec.ts";

export const exportOnnx = job({
  name: "export",
  about:
    "Writes OUT/onnx/model.onnx (both towers and their logits), vision_model.onnx and text_model.onnx, with config and tokenizer " +
    "as transformers.js looks for them; any batch, any length of text. Every file is run beside tbar's own engine: float32 " +
    "embeddings must agree within 1e-5, or the exit code is 1. Measure a file with tbar eval --model OUT/onnx/FILE.",
  examples: [
    "tbar export --model cleaned --out exported",
    "tbar export --model cleaned --out exported --int8 --only both",
    "tbar eval --model exported/onnx/model_quantized.onnx --data photos",
  ],
  spec: exportSpec,
  result: exportResult,
  outputs: async ({ out }) => [out],
  succeeded: ({ faithful }) => faithful,
  run: async (spec, context) => (await import("./run.ts")).exportOnnx(spec, context),
});
