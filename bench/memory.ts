/**
 * Peak memory of one image step of a ViT-B/32 (batch 32) and of evaluating one (batch 64), each in a process of its own.
 * Run: npm run bench:memory.
 */
import { execFileSync } from "node:child_process";
import { configFromHf } from "../src/checkpoint/config/hf-config.ts";
import { clipPreprocess } from "../src/checkpoint/config/preprocess.ts";
import { initialWeights } from "../src/clip/parameters.ts";
import { createEncoder } from "../src/engine/encoder.ts";
import { gradientsOf } from "../src/engine/gradients.ts";
import { classification, type LabelBatch } from "../src/engine/objectives.ts";
import { adamw } from "../src/optim/adamw.ts";
import { allocation } from "../src/process/fork.ts";
import { createRuntime } from "../src/runtime/compile.ts";
import { onnxRuntime } from "../src/runtime/onnxruntime.ts";
import { random } from "../src/tensor/random.ts";
import { tensor, type Weights } from "../src/tensor/tensor.ts";
import { atMost, exact, writeResults } from "./results.ts";

const [what] = process.argv.slice(2);
if (what === undefined) {
  const peak = (mode: string) => {
    const env = { ...process.env, ...allocation };
    const out = execFileSync("npx", ["jiti", "bench/memory.ts", mode], { encoding: "utf8", env });
    return Number(out.trim().split("\n").at(-1));
  };
  writeResults("memory", {
    command: "npm run bench:memory",
    seeds: [1],
    rows: [
      exact("ViT-B/32 image step, batch 32: peak memory, GB", peak("step"), atMost(5.2)),
      exact("ViT-B/32 evaluation, batch 64: peak memory, GB", peak("evaluate"), atMost(1.5)),
    ],
  });
} else {
  const config = configFromHf({ model_type: "clip", text_config: {}, vision_config: {} });
  const vision: Weights = new Map([...initialWeights(config, 1)].filter(([name]) => /^vis/.test(name)));
  const runtime = createRuntime(await onnxRuntime({ threads: 2 }));
  const preprocess = clipPreprocess(224);
  const batch = what === "step" ? 32 : 64;
  const pixels = tensor([batch, 3, 224, 224]);
  random(1).fillUniform(pixels.data);
  if (what === "step") {
    const head = tensor([1000, 512]);
    random(2).fillNormal(head.data);
    const labels = Int32Array.from({ length: batch }, (_, i) => i);
    const gradients = gradientsOf<LabelBatch>(runtime, classification(config, preprocess, head), vision);
    const optimizer = adamw();
    const state = optimizer.init(vision);
    for (let i = 0; i < 3; i++) {
      const { of } = await gradients(vision, { pixels, labels });
      optimizer.update(vision, of, state, 1e-5);
    }
  } else {
    const encoder = createEncoder(runtime, config, preprocess, () => []);
    for (let i = 0; i < 3; i++) await encoder.images(vision, pixels);
  }
  console.log((process.resourceUsage().maxRSS * 1024) / 1e9); // kilobytes on Linux
  process.exit(0);
}
