/**
 * Real photographs: a small CLIP pre-trained on CIFAR-100 (captions made of the label names) and Flickr8k's captions; BadNet and Blended
 * implanted in it, each with three seeds, and removed. Run: npm run bench:cifar. Reads ../shared/data (DATA tells another place). Goes on
 * after a kill: pre-training from its state, each run from what is kept of it in results/cifar.
 *
 * The model: ViT of 32 pixels in patches of 4 (64 tokens), width 128, 4 layers: 1.7 million parameters, 270 to 287 images a second on 2
 * cores (ten steps). 7,000 steps of 128 took 99 minutes on one core beside another bench; they see each of 20,000 photographs and 5,000
 * captions 36 times, cropped and mirrored. A ResNet as CLIP has it halves the sides five times: of 32 pixels one place is left, so it was not
 * tried.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeTrigger, parseTriggerSpec } from "../src/attacks/index.ts";
import { attackDefaults, attackModel } from "../src/jobs/attack/attack.ts";
import { cleanDefaults, cleanModel } from "../src/jobs/clean/clean.ts";
import { evaluateModel } from "../src/jobs/eval/evaluate.ts";
import { pretrainDefaults, pretrainModel } from "../src/jobs/pretrain.ts";
import { meanOf, once, otherRows, type Run, ratio, threads } from "./implanted.ts";
import { type Row, row, writeResults } from "./results.ts";

const folder = process.env.DATA ?? "../shared/data";
const [data, testData] = ["train.bin", "test.bin"].map((name) => join(folder, "cifar100", name));
const seeds = [1, 2, 3];
const pretraining = { imageSize: 32, patchSize: 4, layers: 4, steps: Number(process.env.STEPS ?? 7000), augment: true };
const triggers = {
  badnet: "badnet:size=4,place=bottom-right,redraw=false",
  blended: "blended:pattern=gaussian,redraw=false",
};
const target = "apple";
const methods = ["plain", "anchored", "fisher"];

let last = 0;
const progress = {
  stage: (what: string) => console.error(`${new Date().toISOString().slice(11, 19)} ${what}`),
  step(done: number, total: number, note = "") {
    if (Date.now() - last < 30_000) return;
    last = Date.now();
    console.error(`  ${done}/${total} ${note}`);
  },
};
const shared = { data, testData, testImages: 6000, threads, progress };
mkdirSync("runs/cifar", { recursive: true });
mkdirSync("results/cifar", { recursive: true });

const model = "runs/cifar/clip";
if (!existsSync(model)) {
  const captions = join(folder, "flickr8k-1000/captions.csv");
  await pretrainModel({ ...pretrainDefaults, ...shared, ...pretraining, seed: 1, captions, out: model });
}
const kept = "results/cifar/untouched.json";
if (!existsSync(kept))
  writeFileSync(kept, `${JSON.stringify(await evaluateModel({ ...shared, seed: 1, model }), null, 1)}\n`);
const { ca } = JSON.parse(readFileSync(kept, "utf8")) as Awaited<ReturnType<typeof evaluateModel>>;

const rows: Row[] = [
  row("CIFAR-100, pre-trained: CA on 6,000 test photographs", ca.value, ca.interval, { op: ">=", limit: 0.25 }),
];
for (const [name, trigger] of Object.entries(triggers)) {
  const runs: Run[] = [];
  for (const seed of seeds) {
    progress.stage(`${name}, seed ${seed}`);
    const { attack, clean } = await once(`results/cifar/${name}-${seed}.json`, () => implantAndClean(trigger, seed));
    runs.push({ attack, clean });
    const { before, after, retention, method } = clean;
    const at = `${name}, seed ${seed}`;
    rows.push(
      row(`${at}: CA before`, attack.after.ca.value, attack.after.ca.interval, { op: ">=", limit: 0.25 }),
      row(`${at}: ASR before`, before.asr.value, before.asr.interval, { op: ">=", limit: 0.9 }),
      row(`${at}: ASR after (${method})`, after.asr.value, after.asr.interval),
      row(`${at}: CA retention (${method})`, retention, ratio(before, after)),
      ...otherRows(at, clean),
    );
  }
  const mean = (what: string, of: (run: Run) => number) => {
    const { value, interval } = meanOf(runs.map(of));
    rows.push(row(`${name}, mean of ${runs.length}: ${what}`, value, interval));
  };
  mean("ASR after (chosen)", ({ clean }) => clean.after.asr.value);
  mean("CA retention (chosen)", ({ clean }) => clean.retention);
}
writeResults("cifar", { command: "npm run bench:cifar", seeds, rows });
process.exit(0);

/** Attacked and cleaned; of a run that was killed the backdoored model is kept. */
async function implantAndClean(spec: string, seed: number): Promise<Run> {
  const trigger = makeTrigger(parseTriggerSpec(`${spec},seed=${seed}`));
  const out = `runs/cifar/${trigger.spec.kind}-${seed}`;
  const report = `${out}.json`;
  if (!existsSync(report)) {
    const recipe = { ...attackDefaults.recipe, seed };
    const implanting = { ...attackDefaults, trigger, target, images: 16000, recipe, out, force: true };
    writeFileSync(
      report,
      JSON.stringify(await attackModel({ ...shared, ...implanting, seed, model, testImages: 6000 })),
    );
  }
  const {
    examples: _,
    triggerPicture: __,
    ...clean
  } = await cleanModel({
    ...cleanDefaults,
    ...shared,
    seed,
    model: out,
    untouched: model,
    methods,
    sizes: { forget: 1024, clean: 1024, validation: 1000, test: 6000 },
    recipe: { ...cleanDefaults.recipe, seed },
    reboundSteps: 0,
  });
  const attack = JSON.parse(readFileSync(report, "utf8")) as Run["attack"];
  rmSync(out, { recursive: true });
  rmSync(report);
  return { attack, clean };
}
