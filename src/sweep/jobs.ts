/** tbar sweep: run a recipe, see how far it is, make its table. */
import { job } from "../jobs/job.ts";
import { sweepRunResult, sweepStatusResult, sweepTableResult } from "../results/sweep.ts";
import { runSpec, statusSpec, tableSpec } from "./specs.ts";

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
