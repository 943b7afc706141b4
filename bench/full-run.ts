/**
 * The whole job at real size: a ViT-B/32 of random weights, Blended implanted in it, cleaned by plain TBAR, beside the same procedure
 * in PyTorch (bench/peers/full_run.py) with a grid of 21 alphas. Run: npm run bench:full-run; about an hour on 2 cores, nine tenths of it
 * in stages that go on after a kill: `tbar attack` and `tbar clean` keep their trainings and counts (--state), and what each stage
 * found is kept in runs/full-run. Photographs: ../shared/data (DATA tells another place).
 *
 * Forget set: 1,000 of the ImageNet photographs. Alpha is chosen on the other 300 and 300 of Flickr's, and all is measured on the other
 * 700: no image is in two sets. A model of random weights knows no class of any photograph: the attacker's labels are its own answers,
 * which the backdoored model is to go on giving where there is no trigger. The defender has no labels: CA is the agreement with the
 * backdoored model. 63 steps of 16 images implant, 63 tune. The attacker glances at 64 images; the peer's does not look at all.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { subtract } from "../src/arithmetic/task-vector.ts";
import { makeTrigger, parseTriggerSpec } from "../src/attacks/index.ts";
import { configFromHf } from "../src/checkpoint/config/hf-config.ts";
import { clipPreprocess } from "../src/checkpoint/config/preprocess.ts";
import { openSafetensors } from "../src/checkpoint/formats/safetensors.ts";
import { writeNewCheckpoint } from "../src/checkpoint/new-checkpoint.ts";
import { run } from "../src/cli/run.ts";
import { initialWeights } from "../src/clip/parameters.ts";
import { openDataset } from "../src/data/open.ts";
import { loadClip } from "../src/engine/clip.ts";
import { createScorer } from "../src/engine/scorer.ts";
import { zeroShotHead } from "../src/engine/zero-shot.ts";
import { type Bench, setUp } from "../src/jobs/clean/bench.ts";
import { prepare as prepareCleaning } from "../src/jobs/clean/prepare.ts";
import { cleanSpec } from "../src/jobs/clean/spec.ts";
import { withContext } from "../src/jobs/context.ts";
import { labelsOf, measure } from "../src/metrics/accuracy.ts";
import type { AttackResult } from "../src/results/attack.ts";
import type { CleanResult } from "../src/results/clean.ts";
import { random } from "../src/tensor/random.ts";
import { type Tensor, tensor } from "../src/tensor/tensor.ts";
import { python, type Row, row, writeResults } from "./results.ts";

const seed = 1;
const threads = 2;
const batch = 16;
const target = "goldfish";
const trigger = "blended:pattern=gaussian,ratio=0.2,redraw=false,quantise=true,seed=1";
const template = "a photo of a {}.";
const implantRate = 0.5;
const implantLr = 1e-4;
const tuneLr = 1e-5;
const gridSize = 21;

const folder = "runs/full-run";
const data = resolve(process.env.DATA ?? "../shared/data");
const at = (name: string) => join(folder, name);
const inputs = ["--templates", at("templates.txt"), "--seed", `${seed}`, "--threads", `${threads}`, "--json"];
const stages: Record<string, () => Promise<object>> = {
  attack: () =>
    tbar(
      ["attack", trigger, "--model", at("model"), "--data", at("labelled.csv"), "--test-data", at("held.csv")],
      ["--target", target, "--images", "1000", "--test", "64", "--rate", `${implantRate}`, "--lr", `${implantLr}`],
      ["--epochs", "1", "--batch", `${batch}`, "--out", at("backdoored"), "--state", at("attack.state")],
    ),
  clean: () =>
    tbar(
      ["clean", "--model", at("backdoored"), "--method", "plain", "--data", at("forget.csv"), "--clean", "0"],
      ["--validation-data", at("validation.csv"), "--test-data", at("test.csv"), "--checks", "0", "--recovery", "0"],
      ["--forget", "1000", "--validation", "600", "--test", "700", "--lr", `${tuneLr}`, "--epochs", "1"],
      ["--batch", `${batch}`, "--out", at("cleaned"), "--state", at("clean.state"), "--classes", at("classes.txt")],
    ),
  grid,
};

const leftovers: Record<string, readonly string[]> = {
  attack: ["backdoored"],
  clean: ["cleaned", "cleaned.vector.safetensors"],
  grid: [],
};

interface Kept<Result> {
  readonly result: Result;
  /** Over all parts of the stage. */
  readonly seconds: number;
  /** GB. */
  readonly peak: number;
}

const [stage] = process.argv.slice(2);
if (stage === undefined) await main();
else {
  const since = performance.now();
  const result = await stages[stage]();
  const wall = (performance.now() - since) / 1000;
  const seconds = Math.max(wall, (result as { seconds?: number }).seconds ?? 0);
  const peak = (process.resourceUsage().maxRSS * 1024) / 1e9; // kilobytes on Linux
  writeFileSync(at(`${stage}.json`), JSON.stringify({ result, seconds, peak }, null, 1));
  process.exit(0);
}

/** A command of `tbar`; its result. */
async function tbar(...parts: string[][]): Promise<object> {
  let said = "";
  const argv = [...parts.flat(), ...inputs];
  const out = { write: (text: string) => (said += text) };
  const code = await run(argv, { out, err: process.stderr, signal: new AbortController().signal });
  if (code > 1) throw new Error(`tbar ${argv.join(" ")} ended with ${code}`);
  return JSON.parse(said);
}

interface Grid {
  readonly step: number;
  readonly seconds: number;
  readonly points: readonly { alpha: number; ca: number; asr: number; passes: boolean }[];
  /** Classes among the backdoored model's answers to the test photographs. */
  readonly answers: number;
}

/** Three points of the grid, the last of them the first at or above the alpha found, on all validation images. */
async function grid(): Promise<Grid> {
  const { alpha } = kept<CleanResult>("clean").result;
  const step = (alpha <= 1 ? 1 : 2 ** Math.ceil(Math.log2(alpha))) / (gridSize - 1);
  const last = Math.max(2, Math.ceil(alpha / step - 1e-9));
  const spec = cleanSpec.parse({
    model: at("backdoored"),
    data: at("forget.csv"),
    validationData: at("validation.csv"),
    testData: at("test.csv"),
    classesFile: at("classes.txt"),
    templatesFile: at("templates.txt"),
    methods: ["plain"],
    sizes: { forget: 1000, clean: 0, validation: 600, test: 700 },
    seed,
    threads,
  });
  return withContext({ threads }, {}, async (context) =>
    along(await setUp(await prepareCleaning(spec, context), seed, context), step, last),
  );
}

async function along(bench: Bench, step: number, last: number): Promise<Grid> {
  const file = await openSafetensors(at("cleaned.vector.safetensors"));
  const tau = new Map<string, Tensor>();
  for (const name of file.tensors.keys()) tau.set(name, await file.read(name));
  await file.close();
  const clean = bench.cleanMetric(bench.validation);
  const triggered = bench.attackMetric(bench.attack.validation);
  // reads the photographs and compiles, as measuring before does in the job
  await measure(triggered, bench.clip.weights);
  await clean.hits(new Map(bench.clip.weights));
  const since = performance.now();
  const points: Grid["points"][number][] = [];
  for (const k of [last - 2, last - 1, last]) {
    const weights = subtract(bench.clip.weights, tau, k * step);
    const [ca, asr] = [await measure(clean, weights), await measure(triggered, weights)];
    points.push({ alpha: k * step, ca: ca.value, asr: asr.value, passes: asr.interval[1] <= 0.02 });
  }
  const seconds = (performance.now() - since) / 1000;
  return { step, seconds, points, answers: new Set(labelsOf(bench.test)).size };
}

function kept<Result>(name: string): Kept<Result> {
  return JSON.parse(readFileSync(at(`${name}.json`), "utf8"));
}

/** Runs a stage in a process of its own, unless it is done. */
function once(name: string, command: string, args: readonly string[]): void {
  if (existsSync(at(`${name}.json`))) return;
  console.error(`${new Date().toISOString().slice(11, 19)} ${name}`);
  const { status } = spawnSync(command, args, { stdio: "inherit" });
  if (status !== 0) throw new Error(`${name} ended with ${status}`);
}

async function main(): Promise<void> {
  mkdirSync(folder, { recursive: true });
  if (!existsSync(at("model"))) {
    rmSync(at("model.begun"), { recursive: true, force: true });
    await prepare();
  }
  for (const name of Object.keys(stages)) {
    // a stage whose output was written just before a kill is made again
    if (!existsSync(at(`${name}.json`)))
      for (const left of leftovers[name]) rmSync(at(left), { recursive: true, force: true });
    once(name, "npx", ["jiti", "bench/full-run.ts", name]);
  }
  const { step } = kept<Grid>("grid").result;
  const peer = { folder, batch, threads, implantRate, implantLr, tuneLr, target, template, step };
  once("peer", python, ["bench/peers/full_run.py", JSON.stringify(peer)]);
  summarise();
}

/** The model, the lists of photographs, the labels, and for the peer the trigger's share of a stamped image. */
async function prepare(): Promise<void> {
  const shuffled = (names: string[]) => random(seed, "photographs").shuffle(names.sort());
  const table = (name: string, head: string, rows: readonly string[]) =>
    writeFileSync(at(name), `${[head, ...rows].join("\n")}\n`);
  const imagenet = join(data, "imagenet-val-1300");
  const flickr = join(data, "flickr8k-1000/images");
  const [, ...lines] = readFileSync(join(imagenet, "labels.csv"), "utf8").trim().split("\n");
  const photographs = shuffled(lines.map((line) => join(imagenet, line.split(",")[0])));
  const others = shuffled(readdirSync(flickr)).map((name) => join(flickr, name));
  const [forget, held] = [photographs.slice(0, 1000), photographs.slice(1000)];
  const bare = (files: readonly string[]) => files.map((file) => `${file},`);
  table("forget.csv", "image,caption", bare(forget));
  table("validation.csv", "image,caption", bare([...held, ...others.slice(0, 300)]));
  table("test.csv", "image,caption", bare(others.slice(300)));
  const { classes } = JSON.parse(readFileSync(join(imagenet, "classes.json"), "utf8")) as { classes: string[] };
  writeFileSync(at("classes.json"), JSON.stringify({ classes }));
  writeFileSync(at("classes.txt"), `${classes.join("\n")}\n`);
  writeFileSync(at("templates.txt"), `${template}\n`);

  const black = tensor([1, 3, 224, 224]);
  const share = await makeTrigger({ ...parseTriggerSpec(trigger), quantise: false } as never).apply(black, ["peer"]);
  writeFileSync(at("trigger.f32"), share.data);

  const text_config = { eos_token_id: 49407, bos_token_id: 49406 };
  const config = configFromHf({ model_type: "clip", text_config, vision_config: {} });
  const tokenizerJson = readFileSync(join(data, "clip-bpe/tokenizer.json"), "utf8");
  const weights = new Map(initialWeights(config, seed)).set("logit_scale", tensor([], [Math.log(100)])); // as CLIP's own
  const preprocess = clipPreprocess(224);
  const begun = at("model.begun");
  await writeNewCheckpoint(begun, { config, weights, dtype: "F32", preprocess, tokenizerJson });
  table("photographs.csv", "image,caption", bare(photographs));
  const labels = await answers(begun, at("photographs.csv"), classes);
  const labelled = photographs.map((file, i) => `${file},${labels[i]}`);
  table("labelled.csv", "image,label", labelled.slice(0, 1000));
  table("held.csv", "image,label", labelled.slice(1000));
  renameSync(begun, at("model")); // its presence says that all of this is there
}

/** The class that a model takes each photograph for. */
async function answers(model: string, photographs: string, classes: readonly string[]): Promise<Int32Array> {
  const clip = await loadClip(model, { threads });
  const head = await zeroShotHead(clip.encoder, clip.weights, classes, [template]);
  const found = await createScorer(clip, await openDataset(photographs), head).answers(clip.weights);
  await clip.runtime.release();
  return found;
}

interface Peer {
  /** Seconds by stage; the grid's are those of three points. */
  readonly seconds: Readonly<Record<"load" | "implant" | "measure" | "tune" | "grid" | "test" | "write", number>>;
  readonly asr: number;
  readonly version: string;
}

function summarise(): void {
  const attack = kept<AttackResult>("attack");
  const clean = kept<CleanResult>("clean");
  const { result: found } = kept<Grid>("grid");
  const peer = JSON.parse(readFileSync(at("peer.json"), "utf8")) as Peer;
  const { before, after, retention, alpha, timings } = clean.result;
  const took = (what: string, of: CleanResult | AttackResult = clean.result) =>
    of.timings.find((timing) => timing.what === what)?.seconds ?? Number.NaN;
  const one = (what: string, value: number, bar: Row["bar"] = null) => row(what, value, [value, value], bar);
  const gridSeconds = (found.seconds * gridSize) / 3;
  const chosen = found.points.find(({ passes }) => passes)?.alpha ?? Number.POSITIVE_INFINITY;
  const looks = clean.result.variants.plain.trials.reduce((n, { ca, asr }) => n + ca.n + asr.n, 0);
  const theirs = Object.entries(peer.seconds).map(([what, s]) => (what === "grid" ? (s * gridSize) / 3 : s));
  const whole = theirs.reduce((a, b) => a + b);
  const cleaning = whole - peer.seconds.implant;
  writeResults("full-run", {
    command: "npm run bench:full-run",
    seeds: [seed],
    rows: [
      row("Blended implanted: ASR on 700 held-out photographs", before.asr.value, before.asr.interval, {
        op: ">=",
        limit: 0.95,
      }),
      one("classes among the backdoored model's answers to them", found.answers),
      row("cleaned: ASR", after.asr.value, after.asr.interval),
      row("cleaned: agreement with the backdoored model", retention, after.ca.interval),
      one("alpha", alpha),
      one("alpha, distance from the grid's choice in its steps", Math.abs(alpha - chosen) / found.step, {
        op: "<=",
        limit: 1,
      }),
      one("search for alpha, images encoded", looks),
      one("search for alpha, s", took("plain: alpha")),
      one("grid of 21 alphas over all images, s (7 x 3 points)", gridSeconds),
      one("grid / search", gridSeconds / took("plain: alpha"), { op: ">=", limit: 8 }),
      one("implanting and cleaning, s", attack.seconds + clean.seconds),
      one(`implanting and cleaning, s, PyTorch ${peer.version} with the grid`, whole),
      one("implanting and cleaning, PyTorch / ours", whole / (attack.seconds + clean.seconds), {
        op: ">=",
        limit: 2.5,
      }),
      one("cleaning alone, PyTorch / ours", cleaning / clean.seconds),
      one("like for like: implanting, PyTorch / ours", peer.seconds.implant / took("implant", attack.result)),
      one("like for like: 63 training steps of 16, PyTorch / ours", peer.seconds.tune / took("plain")),
      one("peak memory, GB", Math.max(attack.peak, clean.peak), { op: "<=", limit: 5.5 }),
      ...timings.map(({ what, seconds }) => one(`cleaning, ${what}, s`, seconds)),
      one("PyTorch: ASR that its own implant reached", peer.asr),
    ],
  });
}
