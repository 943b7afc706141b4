/** Fine-tuning a ResNet's image tower through the same objective and loop as a vision transformer's. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ClipConfig } from "../checkpoint/config/config.ts";
import { clipPreprocess } from "../checkpoint/config/preprocess.ts";
import { initialWeights } from "../clip/parameters.ts";
import { adamw } from "../optim/adamw.ts";
import { constantRate } from "../optim/schedule.ts";
import { createRuntime, type Runtime } from "../runtime/compile.ts";
import { onnxRuntime } from "../runtime/onnxruntime.ts";
import { random } from "../tensor/random.ts";
import { tensor } from "../tensor/tensor.ts";
import { classification, type LabelBatch } from "./objectives.ts";
import { train } from "./train.ts";

const tower = { width: 16, layers: 1, heads: 2, mlpWidth: 32, activation: "quick_gelu", eps: 1e-5 } as const;
const config: ClipConfig = {
  embedDim: 8,
  logitScaleInit: Math.log(10),
  vision: { kind: "resnet", imageSize: 32, width: 8, blocks: [1, 2, 1, 1], heads: 4 },
  text: { ...tower, contextLength: 8, vocabSize: 20, pooling: "largest-id" },
};

let runtime: Runtime;
beforeAll(async () => {
  runtime = createRuntime(await onnxRuntime({ threads: 1 }));
});
afterAll(() => runtime.release());

test("the loss falls, running statistics follow the batches, text and start stay as they were", async () => {
  const start = initialWeights(config, 1);
  const batch: LabelBatch = { pixels: tensor([6, 3, 32, 32]), labels: Int32Array.of(0, 1, 2, 0, 1, 2) };
  random(1).fillUniform(batch.pixels.data);
  const head = tensor([3, 8]);
  random(2).fillNormal(head.data, 0, 5);
  const losses: number[] = [];
  async function* batches() {
    for (let i = 0; i < 6; i++) yield batch;
  }
  const after = await train(start, {
    runtime,
    objective: classification(config, clipPreprocess(32), head),
    batches: batches(),
    optimizer: adamw(),
    schedule: constantRate(1e-2),
    onStep: ({ loss }) => void losses.push(loss),
  });
  expect(losses.at(-1)).toBeLessThan(losses[0] / 2);

  const moved = (name: string) => after.get(name)?.data.some((v, i) => v !== start.get(name)?.data[i]);
  for (const name of after.keys()) expect(moved(name), name).toBe(name.startsWith("visual."));
  const { data: mean } = start.get("visual.bn1.running_mean") ?? tensor([0]);
  expect([...mean]).toEqual([0, 0, 0, 0]);
});
