/**
 * How many lines src/ and bench/ hold without their tests, beside the count before the upper half was rebuilt, and what holds features that
 * did not exist then. Writes results/lines.json. Run: npm run lines. Both counts are made now: the one of today of the files that git knows,
 * as they lie there, the other of the files of that commit.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { atMost, exact, writeResults } from "../bench/results.ts";

/** The last commit before the rebuilding. */
const start = "c446793";
/** So many lines fewer there were to be. */
const fewer = 800;
const longest = 200;

/** What is new since then, by what it is for: each did not exist at all, under this name or another. */
const added: Readonly<Record<string, readonly string[]>> = {
  "sweeps: recipes, tables, the store": [
    "src/sweep",
    "src/store",
    "src/results/sweep.ts",
    "src/cli/views/sweep.ts",
    "src/stats/bootstrap.ts",
  ],
  "tbar completion": ["src/cli/completion.ts", "src/cli/commands/completion.ts"],
  "tbar schema": ["src/cli/commands/schema.ts", "src/jobs/json-schema.ts"],
  "the manual": ["src/cli/manual.ts", "src/cli/outline.ts"],
  "--config": ["src/cli/config.ts", "src/files/yaml.ts"],
  "jobs in a process of their own": ["src/jobs/child.ts", "src/jobs/child-process.ts"],
  "further metrics": ["src/metrics/index.ts", "src/metrics/further.ts"],
  "verdicts by paired bounds": [
    "src/metrics/retention.ts",
    "src/stats/retention.ts",
    "src/stats/fresh.ts",
    "src/stats/fewest.ts",
  ],
};

const git = (...args: string[]) =>
  execFileSync("git", args, { encoding: "utf8", maxBuffer: 2 ** 26 })
    .trim()
    .split("\n");
const isCounted = (path: string) => path.endsWith(".ts") && !path.endsWith(".test.ts");
type Counts = ReadonlyMap<string, number>;

function countsNow(): Counts {
  const files = git("ls-files", "src", "bench").filter(isCounted);
  return new Map(files.map((file) => [file, readFileSync(file, "utf8").split("\n").length - 1]));
}

/** Throws where the commit is not at hand, as in a shallow clone. */
function countsAt(commit: string): Counts {
  const files = git("ls-tree", "-r", "--name-only", commit, "src", "bench").filter(isCounted);
  const lines = (file: string) => git("cat-file", "-p", `${commit}:${file}`).length;
  return new Map(files.map((file) => [file, lines(file)]));
}

const sum = (counts: Counts, isOf: (file: string) => boolean = () => true) =>
  [...counts].reduce((total, [file, n]) => (isOf(file) ? total + n : total), 0);
const within = (folders: readonly string[]) => (file: string) =>
  folders.some((folder) => file === folder || file.startsWith(`${folder}/`));
/** "src/cli" of src/cli/views/clean.ts */
const folderOf = (file: string) =>
  file
    .split("/")
    .slice(0, file.startsWith("src/") ? 2 : 1)
    .join("/");

const [then, now] = [countsAt(start), countsNow()];
for (const path of Object.values(added).flat())
  if (sum(then, within([path])) > 0) throw new Error(`${path} was there at ${start}: it is not new`);
const isNew = within(Object.values(added).flat());
const long = [...now].filter(([, n]) => n > longest);

process.env.TBAR_RESULTS = "results";
writeResults("lines", {
  command: "npm run lines",
  seeds: [],
  reference: null,
  rows: [
    exact("lines of src and bench, tests left out", sum(now)),
    exact(`the same at ${start}`, sum(then)),
    exact(
      "for the same features: without what is new, below",
      sum(now, (file) => !isNew(file)),
      atMost(sum(then) - fewer),
    ),
    ...Object.entries(added).map(([what, paths]) => exact(`new: ${what}`, sum(now, within(paths)))),
    exact(`files of more than ${longest} lines`, long.length, atMost(0)),
    ...long.map(([file, n]) => exact(file, n)),
    ...[...new Set([...now.keys()].map(folderOf))].map((folder) =>
      exact(
        folder,
        sum(now, (file) => folderOf(file) === folder),
      ),
    ),
  ],
});
