/**
 * Real photographs: a small CLIP pre-trained on CIFAR-100 (captions made of the label names), Blended implanted, removed.
 * Run: npm run bench:cifar. Reads ../shared/data/cifar100 (CIFAR100 tells another place). Pre-training resumes after a kill.
 */
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { attackDefaults, attackModel } from "../src/experiments/attack.ts";
import { cleanDefaults, cleanModel } from "../src/experiments/clean.ts";
import { evaluateModel } from "../src/experiments/evaluate.ts";
import { pretrainDefaults, pretrainModel } from "../src/experiments/pretrain.ts";
import { makeTrigger, parseTriggerSpec } from "../src/experiments/registry.ts";
import { row, writeResults } from "./results.ts";

const folder = process.env.CIFAR100 ?? "../shared/data/cifar100";
const [data, testData] = [join(folder, "train.bin"), join(folder, "test.bin")];
const seed = 1;
const threads = 2;
let last = 0;
const progress = {
  stage: (what: string) => console.error(`${new Date().toISOString().slice(11, 19)} ${what}`),
  step(done: number, total: number, note = "") {
    if (Date.now() - last < 30_000) return;
    last = Date.now();
    console.error(`  ${done}/${total} ${note}`);
  },
};
const shared = { data, testData, seed, threads, progress };
mkdirSync("runs/cifar", { recursive: true });

const model = "runs/cifar/clip";
if (!existsSync(model)) {
  await pretrainModel({
    ...pretrainDefaults,
    ...shared,
    out: model,
    imageSize: 32,
    patchSize: 4,
    steps: Number(process.env.STEPS ?? 5000),
    testImages: 6000,
    augment: true,
  });
}
const { ca } = await evaluateModel({ ...shared, model, testImages: 6000 });

const backdoored = "runs/cifar/blended";
const implanted = await attackModel({
  ...shared,
  ...attackDefaults,
  model,
  trigger: makeTrigger(parseTriggerSpec("blended:pattern=gaussian,redraw=false,seed=1")),
  target: "apple",
  out: backdoored,
  force: true,
  images: 16000,
  testImages: 6000,
  recipe: { ...attackDefaults.recipe, seed },
});
const cleaned = await cleanModel({
  ...cleanDefaults,
  ...shared,
  model: backdoored,
  untouched: model,
  methods: ["plain", "anchored", "fisher", "consensus", "relabel"],
  sizes: { forget: 1024, clean: 1024, validation: 1000, test: 6000 },
  recipe: { ...cleanDefaults.recipe, seed },
});
rmSync(backdoored, { recursive: true });

const { before, after, retention, method, variants } = cleaned;
const kept = (v: { ca: { interval: readonly [number, number] } }): [number, number] => [
  v.ca.interval[0] / before.ca.value,
  v.ca.interval[1] / before.ca.value,
];
writeResults("cifar", {
  command: "npm run bench:cifar",
  seeds: [seed],
  rows: [
    row("CIFAR-100, pre-trained: CA on 6,000 test photographs", ca.value, ca.interval, { op: ">=", limit: 0.25 }),
    row("Blended implanted: CA", implanted.after.ca.value, implanted.after.ca.interval),
    row("Blended implanted: ASR", before.asr.value, before.asr.interval, { op: ">=", limit: 0.9 }),
    row(`cleaned (${method}): ASR`, after.asr.value, after.asr.interval),
    row(`cleaned (${method}): CA retention`, retention, kept(after)),
    ...Object.entries(variants).flatMap(([name, variant]) => [
      row(`${name}: ASR`, variant.after.asr.value, variant.after.asr.interval),
      row(`${name}: CA retention`, variant.retention, kept(variant.after)),
    ]),
  ],
});
process.exit(0);
