/**
 * `tbar scan --quick` as a user runs it: seconds, peak memory, and how far `--dry-run` was off, of the embedded model and of a ViT-B/32 of random
 * weights on photographs and 100 class names, each in a process of its own. Run: npm run bench:scan; ONLY=embedded leaves the ViT-B/32 out, which
 * takes a quarter of an hour and more. Needs ../shared/data.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { planJob, runJob } from "../src/jobs/run-job.ts";
import { scan } from "../src/jobs/scan/job.ts";
import { allocation } from "../src/process/fork.ts";
import { threads, writeUntrained } from "./full-run-inputs.ts";
import { atMost, exact, referenceTime, writeResults } from "./results.ts";

const classes = 100;
const data = resolve(process.env.DATA ?? "../shared/data");

interface Measured {
  readonly estimated: number;
  readonly seconds: number;
  /** GB. */
  readonly peak: number;
}

const [what, told] = process.argv.slice(2);
if (told !== undefined) {
  const spec = { ...JSON.parse(told), quick: true, threads };
  const given = { command: "npm run bench:scan" };
  const start = performance.now();
  const planned = what === "plan" ? await planJob(scan, spec, given) : undefined;
  if (planned === undefined) await runJob(scan, spec, given);
  const seconds = planned?.seconds ?? (performance.now() - start) / 1000;
  console.log(JSON.stringify({ seconds, peak: (process.resourceUsage().maxRSS * 1024) / 1e9 })); // kilobytes on Linux
  process.exit(0);
}

/** Runs this file again with a spec, its estimate and the scan each in a process of its own. */
function measured(spec: object): Measured {
  const [{ seconds: estimated }, scanned] = ["plan", "run"].map((what) => {
    const env = { ...process.env, ...allocation };
    const out = execFileSync("npx", ["jiti", "bench/scan.ts", what, JSON.stringify(spec)], { encoding: "utf8", env });
    return JSON.parse(out.trim().split("\n").at(-1) as string);
  });
  return { ...scanned, estimated };
}

const rowsOf = (name: string, { estimated, seconds, peak }: Measured, most: number) => [
  exact(`${name}: seconds`, seconds, atMost(most)),
  exact(`${name}: seconds stated beforehand`, estimated),
  exact(`${name}: stated beforehand, off by`, Math.abs(estimated / seconds - 1), atMost(0.25)),
  exact(`${name}: peak memory, GB`, peak, atMost(3)),
];

/** A ViT-B/32 of random weights, photographs, and names that it knows nothing of: what is done takes as long as with a real one. */
async function fullSize(folder: string): Promise<object> {
  const model = join(folder, "model");
  await writeUntrained(model);
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
