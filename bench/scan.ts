/**
 * `tbar scan --quick` as a user runs it: seconds, peak memory, and how far `--dry-run` was off, of the embedded model and of a ViT-B/32 of random
 * weights on photographs and 100 class names, each in a process of its own. Run: npm run bench:scan; ONLY=embedded leaves the ViT-B/32 out, which
 * takes a quarter of an hour and more. Needs ../shared/data.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { configFromHf } from "../src/checkpoint/config/hf-config.ts";
import { clipPreprocess } from "../src/checkpoint/config/preprocess.ts";
import { writeNewCheckpoint } from "../src/checkpoint/new-checkpoint.ts";
import { initialWeights } from "../src/clip/parameters.ts";
import { planJob, runJob } from "../src/jobs/run-job.ts";
import { scan } from "../src/jobs/scan/job.ts";
import { tensor } from "../src/tensor/tensor.ts";
import { atMost, exact, referenceTime, writeResults } from "./results.ts";

const threads = 2;
const classes = 100;
const data = resolve(process.env.DATA ?? "../shared/data");

interface Measured {
  readonly estimated: number;
  readonly seconds: number;
  /** GB. */
  readonly peak: number;
}

const [told] = process.argv.slice(2);
if (told !== undefined) {
  const spec = { ...JSON.parse(told), quick: true, threads };
  const { seconds: estimated } = await planJob(scan, spec, { command: "npm run bench:scan" });
  const start = performance.now();
  await runJob(scan, spec, { command: "npm run bench:scan" });
  const seconds = (performance.now() - start) / 1000;
  console.log(JSON.stringify({ estimated, seconds, peak: (process.resourceUsage().maxRSS * 1024) / 1e9 })); // kilobytes on Linux
  process.exit(0);
}

/** Runs this file again with a spec, in a process of its own. */
function measured(spec: object): Measured {
  const out = execFileSync("npx", ["jiti", "bench/scan.ts", JSON.stringify(spec)], { encoding: "utf8" });
  return JSON.parse(out.trim().split("\n").at(-1) as string);
}

const rowsOf = (name: string, { estimated, seconds, peak }: Measured, most: number) => [
  exact(`${name}: seconds`, seconds, atMost(most)),
  exact(`${name}: seconds stated beforehand`, estimated),
  exact(`${name}: stated beforehand, off by`, Math.abs(estimated / seconds - 1), atMost(0.25)),
  exact(`${name}: peak memory, GB`, peak, atMost(3)),
];

/** A ViT-B/32 of random weights, photographs, and names that it knows nothing of: what is done takes as long as with a real one. */
async function fullSize(folder: string): Promise<object> {
  const config = configFromHf({
    model_type: "clip",
    text_config: { eos_token_id: 49407, bos_token_id: 49406 },
    vision_config: {},
  });
  const weights = new Map(initialWeights(config, 1)).set("logit_scale", tensor([], [Math.log(100)]));
  const tokenizerJson = readFileSync(join(data, "clip-bpe/tokenizer.json"), "utf8");
  const model = join(folder, "model");
  await writeNewCheckpoint(model, { config, weights, dtype: "F32", preprocess: clipPreprocess(224), tokenizerJson });
  const imagenet = join(data, "imagenet-val-1300");
  const all = JSON.parse(readFileSync(join(imagenet, "classes.json"), "utf8")) as { classes: string[] };
  const [, ...lines] = readFileSync(join(imagenet, "labels.csv"), "utf8").trim().split("\n");
  const files = lines.map((line) => join(imagenet, line.split(",")[0]));
  writeFileSync(join(folder, "classes.txt"), all.classes.slice(0, classes).join("\n"));
  writeFileSync(join(folder, "photographs.csv"), `image,caption\n${files.map((file) => `${file},\n`).join("")}`);
  return { model, data: join(folder, "photographs.csv"), classesFile: join(folder, "classes.txt") };
}

const reference = referenceTime();
const rows = rowsOf("embedded model", measured({ model: "shapes", data: "shapes" }), 90);
if (process.env.ONLY !== "embedded") {
  const folder = mkdtempSync(join(tmpdir(), "tbar-bench-"));
  rows.push(...rowsOf("ViT-B/32, random weights", measured(await fullSize(folder)), 1800));
  rmSync(folder, { recursive: true });
}
writeResults("scan", { command: "npm run bench:scan", seeds: [1], rows, reference });
