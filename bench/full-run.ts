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
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { run } from "../src/cli/run.ts";
import type { AttackResult } from "../src/results/attack.ts";
import type { CleanResult } from "../src/results/clean.ts";
import { type Grid, grid, gridSize } from "./full-run-grid.ts";
import { at, folder, kept, prepare, seed, template, threads, trigger } from "./full-run-inputs.ts";
import { atLeast, atMost, exact, python, rated, row, writeResults } from "./results.ts";

const batch = 16;
const target = "goldfish";
const implantRate = 0.5;
const implantLr = 1e-4;
const tuneLr = 1e-5;

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

const [backdoored, cleaned] = [["backdoored"], ["cleaned", "cleaned.vector.safetensors"]];
const leftovers: Record<string, readonly string[]> = { attack: backdoored, clean: cleaned, grid: [] };

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
      rated("Blended implanted: ASR on 700 held-out photographs", before.asr, atLeast(0.95)),
      exact("classes among the backdoored model's answers to them", found.answers),
      rated("cleaned: ASR", after.asr),
      row("cleaned: agreement with the backdoored model", retention, after.ca.interval),
      exact("alpha", alpha),
      exact("alpha, distance from the grid's choice in its steps", Math.abs(alpha - chosen) / found.step, atMost(1)),
      exact("search for alpha, images encoded", looks),
      exact("search for alpha, s", took("plain: alpha")),
      exact("grid of 21 alphas over all images, s (7 x 3 points)", gridSeconds),
      exact("grid / search", gridSeconds / took("plain: alpha"), atLeast(8)),
      exact("implanting and cleaning, s", attack.seconds + clean.seconds),
      exact(`implanting and cleaning, s, PyTorch ${peer.version} with the grid`, whole),
      exact("implanting and cleaning, PyTorch / ours", whole / (attack.seconds + clean.seconds), atLeast(2.5)),
      exact("cleaning alone, PyTorch / ours", cleaning / clean.seconds),
      exact("like for like: implanting, PyTorch / ours", peer.seconds.implant / took("implant", attack.result)),
      exact("like for like: 63 training steps of 16, PyTorch / ours", peer.seconds.tune / took("plain")),
      exact("peak memory, GB", Math.max(attack.peak, clean.peak), atMost(5.5)),
      ...timings.map(({ what, seconds }) => exact(`cleaning, ${what}, s`, seconds)),
      exact("PyTorch: ASR that its own implant reached", peer.asr),
    ],
  });
}
