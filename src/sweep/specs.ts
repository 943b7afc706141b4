/** What may be asked of a sweep. */
import { z } from "zod";
import { count, option } from "../jobs/fields.ts";
import { groups } from "../jobs/job.ts";

const recipeFields = {
  recipe: option(
    z.string(),
    "a recipe's file, or the name of one that ships with tbar: science, attacks, badmerging, cifar, scan-calibration, unknown, tbar-table-single-task, tbar-table-image-text, tbar-xi, tbar-ablation-size, tbar-ablation-ratio, tbar-transfer",
    {
      argument: true,
      value: "recipe",
      question: "which recipe?",
    },
  ),
  store: option(z.string(), "folder of results: what is in it is not run again", {
    group: groups.inputs,
    value: "folder",
    machine: true,
    question: "which folder keeps the results?",
  }),
  profile: option(z.string().optional(), "a smaller or larger form of the recipe: tiny, ...", {
    group: groups.inputs,
    value: "name",
  }),
  set: option(z.array(z.string()).optional(), "a value of the recipe in place of its own, such as data=/photos", {
    group: groups.inputs,
    value: "name=value",
    whole: true,
  }),
};
const only = option(z.array(z.string()).optional(), "these cells alone", { group: groups.run, value: "cells" });

export const runSpec = z.strictObject({
  ...recipeFields,
  only,
  jobs: option(count().max(256).default(1), "steps at a time; they share the processor", {
    group: groups.run,
    value: "number",
    machine: true,
  }),
});

export const statusSpec = z.strictObject({ ...recipeFields, only });

export const tableSpec = z.strictObject({
  ...recipeFields,
  out: option(
    z.string().optional(),
    "where the rows go (default: results/recipes/NAME.json); what is there is replaced",
    {
      group: groups.output,
      value: "file",
      machine: true,
    },
  ),
  html: option(z.string().optional(), "also as a page: intervals, and every seed as a dot", {
    group: groups.output,
    value: "file",
    machine: true,
  }),
});
