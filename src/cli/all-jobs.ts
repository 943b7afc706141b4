/** All that commands are made of: the jobs, and what runs many of them. */
import * as single from "../jobs/index.ts";

const load = (name: "sweepRun" | "sweepWorker" | "sweepStatus" | "sweepTable" | "sweepExport") => async () => (await import("../sweep/jobs.ts"))[name]; // biome-ignore format: one line

export const jobs: typeof single.jobs = {
  ...single.jobs,
  "sweep run": { summary: "run what is not done yet of a recipe", load: load("sweepRun") },
  "sweep worker": { summary: "compute cells that other machines ask for", load: load("sweepWorker") },
  "sweep status": { summary: "which cells are done, failed, left", load: load("sweepStatus") },
  "sweep table": { summary: "the recipe's table from what was measured", load: load("sweepTable") },
  "sweep export": { summary: "a recipe as a job array for Slurm or Kubernetes", load: load("sweepExport") },
};

export const families: typeof single.families = {
  ...single.families,
  sweep: {
    summary: "run the recipes behind tables and figures",
    about:
      "A recipe says in YAML what a table of a paper is made of: cells, seeds, steps, and what was published. docs/sweeps.md tells how to write one.",
    examples: ["tbar sweep run science --store results-store", "tbar sweep table science --store results-store"],
  },
};
