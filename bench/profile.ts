/**
 * Where a training step's time goes, by op, by ONNX Runtime's own profile: the image tower of a ViT-B/32 of random weights (batch 32) and
 * of the embedded model (batch 64), hidden layers widened as fine-tuning has them. Run: npm run bench:profile; BATCHES=8,16 for others.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ClipConfig } from "../src/checkpoint/config/config.ts";
import { configFromHf } from "../src/checkpoint/config/hf-config.ts";
import { clipPreprocess } from "../src/checkpoint/config/preprocess.ts";
import { initialWeights, isVision } from "../src/clip/parameters.ts";
import { widened } from "../src/clip/widened.ts";
import { loadClip } from "../src/engine/clip.ts";
import { gradientsOf } from "../src/engine/gradients.ts";
import { classification, type LabelBatch } from "../src/engine/objectives.ts";
import { adamw } from "../src/optim/adamw.ts";
import { clipFactor } from "../src/optim/schedule.ts";
import { createRuntime } from "../src/runtime/compile.ts";
import { onnxRuntime } from "../src/runtime/onnxruntime.ts";
import { random } from "../src/tensor/random.ts";
import { tensor, type Weights } from "../src/tensor/tensor.ts";
import { exact, median, type Row, rated, referenceTime, writeResults } from "./results.ts";

const threads = 2;
const rounds = Number(process.env.ROUNDS ?? 9);
const [large, small] = (process.env.BATCHES ?? "32,64").split(",").map(Number);

const text_config = { eos_token_id: 49407, bos_token_id: 49406 };
const vit = configFromHf({ model_type: "clip", text_config, vision_config: {} });
const embedded = await loadClip("models/shapes", { threads });
const rows = [
  ...(await profile("ViT-B/32", vit, initialWeights(vit, 1), large)),
  ...(await profile("embedded", embedded.config, embedded.weights, small)),
];
writeResults("profile", { command: "npm run bench:profile", seeds: [1], rows, reference: referenceTime() });
process.exit(0);

/** Rows of one model: the whole, AdamW, and each op's share with the rate of its products. */
async function profile(model: string, config: ClipConfig, all: Weights, batch: number): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), "tbar-profile-"));
  const runtime = createRuntime(await onnxRuntime({ threads, profile: join(folder, "ops") }));
  const weights = widened(new Map([...all].filter(([name]) => isVision(name))));
  const { imageSize } = config.vision;
  const rng = random(1, "profile");
  const pixels = tensor([batch, 3, imageSize, imageSize]);
  rng.fillUniform(pixels.data);
  const head = tensor([100, config.embedDim]);
  rng.fillNormal(head.data, 0, 10);
  const labels = Int32Array.from({ length: batch }, (_, i) => i % 100);
  const objective = classification(config, clipPreprocess(imageSize), head);
  const gradients = gradientsOf<LabelBatch>(runtime, objective, weights, "training");
  const optimizer = adamw({ weightDecay: 0.1 });
  const state = optimizer.init(weights);
  const took: Record<"gradients" | "adamw", number[]> = { gradients: [], adamw: [] };
  for (let round = 0; round <= rounds; round++) {
    const start = performance.now();
    const { of, norm } = await gradients(weights, { pixels, labels });
    const between = performance.now();
    optimizer.update(weights, of, state, 1e-5, clipFactor(norm, 1));
    if (round === 0) continue; // memory is found in the first
    took.gradients.push(between - start);
    took.adamw.push(performance.now() - between);
  }
  await runtime.release();
  const ops = byOp(folder);
  rmSync(folder, { recursive: true });
  const whole = [...ops.values()].reduce((sum, { ms }) => sum + ms, 0);
  const what = `${model}, batch ${batch}`;
  return [
    rated(`${what}: loss and gradients, ms`, median(took.gradients)),
    rated(`${what}: AdamW, ms`, median(took.adamw)),
    ...[...ops]
      .sort(([, a], [, b]) => b.ms - a.ms)
      .flatMap(([op, { ms, flop }]) => [
        exact(`${what}: ${op}, share of the gradients' time`, ms / whole),
        ...(flop > 0 ? [exact(`${what}: ${op}, GFLOP/s`, flop / ms / 1e6)] : []),
      ])
      .filter(({ what, value }) => value >= 0.005 || what.endsWith("GFLOP/s")),
  ];
}

interface Event {
  readonly cat: string;
  readonly name: string;
  /** Microseconds. */
  readonly dur: number;
  readonly args: {
    readonly op_name: string;
    readonly input_type_shape: readonly Readonly<Record<string, readonly number[]>>[];
    readonly output_type_shape: readonly Readonly<Record<string, readonly number[]>>[];
  };
}

/** Time and operations of products; a matrix product is told apart by which of its operands lies transposed. */
function byOp(folder: string): Map<string, { ms: number; flop: number }> {
  const ops = new Map<string, { ms: number; flop: number }>();
  for (const file of readdirSync(folder)) {
    const events: readonly Event[] = JSON.parse(readFileSync(join(folder, file), "utf8"));
    for (const { cat, name, dur, args } of events) {
      if (cat !== "Node" || !name.endsWith("_kernel_time")) continue;
      const { op, flop } = productOf(args) ?? { op: args.op_name, flop: 0 };
      const sum = ops.get(op) ?? { ms: 0, flop: 0 };
      ops.set(op, { ms: sum.ms + dur / 1000, flop: sum.flop + flop });
    }
  }
  return ops;
}

function productOf({ op_name, input_type_shape, output_type_shape }: Event["args"]) {
  if (op_name !== "Gemm") return undefined;
  const [[a, b], [[rows, columns]]] = [input_type_shape, output_type_shape].map((list) =>
    list.map((of) => Object.values(of)[0]),
  );
  const isTransposed = a[0] !== rows; // square operands count as they would lie
  const depth = a[isTransposed ? 0 : 1];
  const operand = isTransposed ? "A transposed" : b[0] !== depth ? "B transposed" : "none transposed, or square";
  return { op: `Gemm, ${operand}`, flop: 2 * rows * columns * depth };
}
