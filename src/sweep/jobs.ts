/** tbar sweep: run a recipe, see how far it is, make its table. */
import { job } from "../jobs/job.ts";
import {
  sweepExportResult,
  sweepRunResult,
  sweepStatusResult,
  sweepTableResult,
  workerResult,
} from "../results/sweep.ts";
import { exportSpec, runSpec, statusSpec, tableSpec, workerSpec } from "./specs.ts";

export const sweepRun = job({
  name: "sweep run",
  about:
    "Runs all cells of a recipe with all its seeds, several side by side. Each result is kept in the store under the hash of what was asked; " +
    "what is there is not computed again, by this recipe or another. After Ctrl-C or a kill the same command goes on. A cell that fails is told of " +
    "in the end (exit code 1), and the others go on.",
  examples: [
    "tbar sweep run science --store results-store --jobs 2",
    "tbar sweep run science --store results-store --only badnet-fixed-one --dry-run",
    "tbar sweep run my-recipe.yaml --store results-store --profile tiny",
    "tbar sweep run science --store /shared/results-store --queue redis://queue:6379",
  ],
  spec: runSpec,
  result: sweepRunResult,
  plan: async (spec, context) => (await import("./commands.ts")).plan(spec, context),
  run: async (spec, context) => (await import("./commands.ts")).run(spec, context),
  succeeded: ({ cells }) => cells.every(({ state }) => state === "done"),
});

export const sweepStatus = job({
  name: "sweep status",
  about: "Which cells of a recipe are done, which failed when they were last tried, and what is left of the others.",
  examples: ["tbar sweep status science --store results-store"],
  spec: statusSpec,
  result: sweepStatusResult,
  run: async (spec) => (await import("./commands.ts")).status(spec),
});

export const sweepTable = job({
  name: "sweep table",
  about:
    "The recipe's table from what the store holds: each figure by seed and as the mean over seeds with its interval, what it should reach, " +
    "and what was published beside it. Prints it and writes it as JSON.",
  notes:
    "The interval of a seed is that over its images. That of a mean is a bootstrap over seeds and, within a seed, images; it does not leave\n" +
    "the range of what is measured. A quotient of two measurements counts them as if each had images of its own.",
  examples: [
    "tbar sweep table science --store results-store",
    "tbar sweep table science --store results-store --html science.html",
  ],
  spec: tableSpec,
  result: sweepTableResult,
  run: async (spec) => (await import("./commands.ts")).table(spec),
});

export const sweepWorker = job({
  name: "sweep worker",
  about:
    "Takes cells from a queue that tbar sweep run --queue fills, and computes them into the store, a folder or bucket that all machines share. A cell whose " +
    "worker is gone goes to another after --lock seconds and continues from its work in progress where that is on the same machine. Whoever can write into the queue can have jobs of tbar run " +
    "on this machine: let nobody else reach it.",
  examples: [
    "tbar sweep worker --queue redis://queue:6379 --store /shared/results-store",
    "tbar sweep worker --queue postgres://tbar@queue/tbar --store /shared/results-store --jobs 2 --until-empty",
  ],
  notes:
    "Ctrl-C puts back the cells that it was at; they go on elsewhere. Packages that it takes: npm install bullmq ioredis (or pg).",
  spec: workerSpec,
  result: workerResult,
  run: async (spec, context) => (await import("./queue/worker.ts")).work(spec, context),
  succeeded: ({ failed }) => failed.length === 0,
});

export const sweepExport = job({
  name: "sweep export",
  about: "Writes a recipe as a job array for Slurm or Kubernetes: a task for each cell and seed, all into one store.",
  examples: [
    "tbar sweep export science --store /shared/results-store --slurm science.sh",
    "tbar sweep export science --store /shared/results-store --k8s science.yaml",
  ],
  spec: exportSpec,
  result: sweepExportResult,
  outputs: async ({ slurm, k8s }) => [slurm, k8s],
  run: async (spec, context) => (await import("./export.ts")).exportSweep(spec, context),
});
