/** All that commands are made of: the jobs, and what runs many of them. */
import * as single from "../jobs/index.ts";

const load = (name: "sweepRun" | "sweepStatus" | "sweepTable") => async () => (await import("../sweep/jobs.ts"))[name];

export const jobs: typeof single.jobs = {
  ...single.jobs,
  "sweep run": { summary: "run what is not done yet of a recipe", load: load("sweepRun") },
  "sweep status": { summary: "which cells are done, failed, left", load: load("sweepStatus") },
  "sweep table": { summary: "the recipe's table from what was measured", load: load("sweepTable") },
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
