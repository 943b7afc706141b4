/**
 * `tbar vector diff` and `apply` on checkpoints of 600 MB and 2.4 GB against cp of the same file, all with a cold cache and synced to
 * disk, in turn; peak memory of each process; mergekit's task arithmetic on the same files where TBAR_MERGEKIT names its
 * mergekit-pytorch. Needs 15 GB in TMPDIR. Run: npm run bench:vector.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statfsSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parameterShapes } from "../src/checkpoint/config/config.ts";
import { configFromHf } from "../src/checkpoint/config/hf-config.ts";
import { configToHf } from "../src/checkpoint/config/to-hf.ts";
import { writeSafetensors } from "../src/checkpoint/formats/safetensors.ts";
import { pieces } from "../src/checkpoint/pieces.ts";
import { random } from "../src/tensor/random.ts";
import { sizeOf } from "../src/tensor/tensor.ts";
import { atLeast, atMost, type Bar, median, type Row, row, writeResults } from "./results.ts";

const large = { hidden_size: 1280, intermediate_size: 5120, num_hidden_layers: 28, num_attention_heads: 16 };
const sizes = [
  { name: "0.6 GB", rounds: 5, vision: {} }, // ViT-B/32
  { name: "2.4 GB", rounds: 3, vision: large },
];
const mergekit = process.env.TBAR_MERGEKIT;

const folder = mkdtempSync(join(tmpdir(), "tbar-bench-vector-"));
const at = (name: string) => join(folder, name);
const { bavail, bsize } = statfsSync(folder);
if (bavail * bsize < 16e9) throw new Error(`${folder} has ${bavail * bsize} bytes left; 16 GB are needed`);

/** A checkpoint of random weights: a block of noise, read from another place for each tensor. */
async function writeRandom(path: string, vision: object, seed: number): Promise<void> {
  const config = configFromHf({ model_type: "clip", text_config: {}, vision_config: vision });
  const noise = new Float32Array(2 ** 21);
  random(seed).fillNormal(noise, 0, 0.02);
  const draw = random(seed, "places");
  const tensors = [...parameterShapes(config)].map(([name, shape]) => ({
    name,
    dtype: "F32" as const,
    shape,
    data: async function* () {
      for (const [, count] of pieces(sizeOf(shape))) {
        const from = draw.int(2 ** 20);
        yield noise.subarray(from, from + count);
      }
    },
  }));
  mkdirSync(path);
  writeFileSync(join(path, "config.json"), JSON.stringify(configToHf(config, "float32")));
  await writeSafetensors(join(path, "model.safetensors"), { tensors, metadata: new Map([["format", "pt"]]) });
}

/**
 * Drops the page cache, or throws: figures with a warm one mean nothing. Then waits: a virtual machine hands freed memory back to its
 * host within seconds and pays with page faults to get it again, which a copy of one second right after the drop would not. Programs
 * are loaded again, so that data alone are cold.
 */
function coolDown(command: string): void {
  execFileSync("sync");
  writeFileSync("/proc/sys/vm/drop_caches", "3");
  execFileSync("sleep", ["6"]);
  if (command === process.execPath) tbarProcess(["vector", "diff", "--help"]);
  else spawnSync(command, ["--help"]);
}

/** A file, or those of a folder. */
function written(out: string): string[] {
  return statSync(out).isDirectory() ? readdirSync(out).map((name) => join(out, name)) : [out];
}

interface Run {
  readonly seconds: number;
  /** Peak resident memory in MB. */
  readonly memory: number;
}

/** Runs a program with a cold cache, and syncs what it wrote (tbar does so itself). */
function timed(command: string, args: readonly string[], out: string): Run {
  rmSync(out, { recursive: true, force: true });
  coolDown(command);
  const start = performance.now();
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8", maxBuffer: 2 ** 26 });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${stderr.slice(-2000)}`);
  if (command !== process.execPath) execFileSync("sync", written(out));
  return { seconds: (performance.now() - start) / 1000, memory: Number(/peak (\d+)/.exec(stdout)?.[1] ?? 0) / 1e3 };
}

const program = `
  import { run } from "./dist/cli/run.js";
  const silent = { write: () => true };
  const code = await run(process.argv.slice(1), { out: silent, err: process.stderr, signal: new AbortController().signal });
  console.log("peak", process.resourceUsage().maxRSS); // kilobytes on Linux
  process.exit(code);`;
const tbarArguments = (args: readonly string[]) => ["--input-type=module", "-e", program, ...args];
const tbarProcess = (args: readonly string[]) => spawnSync(process.execPath, tbarArguments(args));
const tbar = (args: readonly string[], out: string) =>
  timed(process.execPath, tbarArguments([...args, "--quiet", "--out", out]), out);

function merge(from: string, to: string, out: string): Run {
  const models = [{ model: to, parameters: { weight: 0.5, density: 1 } }];
  const recipe = { merge_method: "task_arithmetic", base_model: from, models };
  writeFileSync(at("recipe.yml"), JSON.stringify(recipe));
  return timed(mergekit as string, [at("recipe.yml"), out, "--no-write-model-card"], out);
}

const spread = (values: readonly number[]): [number, number] => [Math.min(...values), Math.max(...values)];
const spreadRow = (what: string, values: readonly number[], bar: Bar | null = null) =>
  row(what, median(values).value, spread(values), bar);
const rows: Row[] = [];
for (const { name, rounds, vision } of sizes) {
  await writeRandom(at("from"), vision, 1);
  await writeRandom(at("to"), vision, 2);
  const file = join(at("from"), "model.safetensors");
  const { size } = statSync(file);
  const runs: Record<string, Run[]> = { cp: [], diff: [], apply: [], ...(mergekit && { mergekit: [] }) };
  for (let round = 0; round < rounds; round++) {
    runs.cp.push(timed("cp", ["--reflink=never", file, at("copy")], at("copy")));
    rmSync(at("copy"));
    runs.diff.push(tbar(["vector", "diff", at("from"), at("to")], at("tau.safetensors")));
    runs.apply.push(tbar(["vector", "apply", at("from"), at("tau.safetensors"), "--alpha", "0.5"], at("sum")));
    rmSync(at("sum"), { recursive: true });
    if (mergekit) runs.mergekit.push(merge(file, join(at("to"), "model.safetensors"), at("merged")));
    rmSync(at("merged"), { recursive: true, force: true });
    console.log(name, round, Object.fromEntries(Object.entries(runs).map(([what, all]) => [what, all.at(-1)])));
  }
  const seconds = (what: string) => runs[what].map((run) => run.seconds);
  // cp reads the file and writes it; a diff reads two and writes one, and so does the sum
  const rate = (what: string, files: number) => seconds(what).map((s) => (files * size) / 1e6 / s);
  const copied = rate("cp", 2);
  rows.push(spreadRow(`${name}: cp --reflink=never, MB read and written per second`, copied));
  for (const what of ["diff", "apply"]) {
    const rates = rate(what, 3);
    const peaks = runs[what].map((run) => run.memory);
    rows.push(
      spreadRow(`${name}: vector ${what}, MB read and written per second`, rates),
      spreadRow(
        `${name}: vector ${what}, of cp's rate`,
        rates.map((r, i) => r / copied[i]),
        atLeast(0.5),
      ),
      row(`${name}: vector ${what}, peak memory in MB`, Math.max(...peaks), spread(peaks), atMost(300)),
    );
  }
  if (mergekit) {
    const both = seconds("diff").map((s, i) => s + seconds("apply")[i]);
    rows.push(
      spreadRow(`${name}: vector diff and apply, seconds`, both),
      spreadRow(`${name}: mergekit's task arithmetic, seconds`, seconds("mergekit")),
    );
  }
  for (const one of ["from", "to", "tau.safetensors"]) rmSync(at(one), { recursive: true });
}
rmSync(folder, { recursive: true });
writeResults("vector", { command: "npm run bench:vector", seeds: [1, 2], rows });
