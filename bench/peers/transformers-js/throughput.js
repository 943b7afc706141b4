/**
 * The peer of bench/throughput.ts: transformers.js with the ONNX file of FOLDER (bench/peers/export_vision.py). For each line it
 * reads it answers with the milliseconds of one batch. node throughput.js FOLDER THREADS BATCH
 */
import { basename, dirname } from "node:path";
import { createInterface } from "node:readline";
import { CLIPVisionModelWithProjection, env, Tensor } from "@huggingface/transformers";

const [folder, threads, batch] = process.argv.slice(2);
env.allowRemoteModels = false;
env.localModelPath = dirname(folder);
const model = await CLIPVisionModelWithProjection.from_pretrained(basename(folder), {
  dtype: "fp32",
  device: "cpu",
  session_options: { intraOpNumThreads: Number(threads) },
});
const shape = [Number(batch), 3, 224, 224];
const pixels = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => Math.random());
console.log("ready", env.version);
for await (const _ of createInterface({ input: process.stdin })) {
  const start = performance.now();
  const { image_embeds } = await model({ pixel_values: new Tensor("float32", pixels, shape) });
  console.log(performance.now() - start);
  image_embeds.dispose();
}
