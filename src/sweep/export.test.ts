/** A recipe as a job array, and its parts. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { parse } from "yaml";
import { runJob } from "../jobs/run-job.ts";
import { sweepExport, sweepStatus } from "./jobs.ts";

const folder = mkdtempSync(join(tmpdir(), "tbar-export-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a task for each cell and seed, whose words the shell takes as they are", async () => {
  const [slurm, k8s] = [join(folder, "array.sh"), join(folder, "job.yaml")];
  const set = ["model=it's a $HOME", "model=b"];
  const asked = { recipe: "science", store: join(folder, "store of mine"), profile: "tiny", set, slurm, k8s };
  const { cells } = await runJob(sweepExport, asked);
  const all = await runJob(sweepStatus, { recipe: "science", store: asked.store, profile: "tiny" });
  expect(cells).toBe(all.cells.length);
  const script = readFileSync(slurm, "utf8");
  expect(script).toContain(`#SBATCH --array=1-${cells}\n`);
  const said = execFileSync("bash", ["-c", `tbar() { printf '%s\\n' "$@"; }\n${script}`], { encoding: "utf8", env: { ...process.env, SLURM_ARRAY_TASK_ID: "2" } }); // biome-ignore format: one line
  const words = ["sweep", "run", "science", "--store", asked.store, "--profile", "tiny", "--set", set[0], "--set", set[1], "--part", `2/${cells}`]; // biome-ignore format: one line
  expect(said.trim().split("\n")).toEqual(words);
  const job = parse(readFileSync(k8s, "utf8"));
  expect(job).toMatchObject({ kind: "Job", spec: { completions: cells, completionMode: "Indexed" } });
  const [container] = job.spec.template.spec.containers;
  const inPod = execFileSync("bash", ["-c", `tbar() { printf '%s\\n' "$@"; }\n${container.command[2]}`], { encoding: "utf8", env: { ...process.env, JOB_COMPLETION_INDEX: "0" } }); // biome-ignore format: one line
  expect(inPod.trim().split("\n").at(-1)).toBe(`1/${cells}`);
  await expect(runJob(sweepExport, asked)).rejects.toThrow("exists");
  await expect(runJob(sweepExport, { recipe: "science", store: "s" })).rejects.toThrow("for which scheduler?");
});
