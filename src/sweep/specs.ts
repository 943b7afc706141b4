/** What may be asked of a sweep. */
import { z } from "zod";
import { count, forceField, option } from "../jobs/fields.ts";
import { groups } from "../jobs/job.ts";

const recipeFields = {
  recipe: option(
    z.string(),
    "a recipe's file, or the name of one that ships with tbar: science, attacks, badmerging, cifar, scan-calibration, unknown, unknown-rivals, tbar-table-single-task, tbar-table-image-text, tbar-xi, tbar-ablation-size, tbar-ablation-ratio, tbar-transfer, tbar-low-cost, tbar-erase, tbar-capacity, tbar-plain",
    {
      argument: true,
      value: "recipe",
      question: "which recipe?",
    },
  ),
  store: option(z.string(), "folder of results, or s3://BUCKET/PREFIX: what is in it is not run again", {
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

const server = "redis://HOST:6379 or postgres://USER@HOST/DATABASE";
const queue = { group: groups.run, value: "url", machine: true } as const;

export const runSpec = z.strictObject({
  ...recipeFields,
  only,
  part: option(
    z
      .string()
      .regex(/^\d+\/\d+$/, "it should be K/N, such as 3/24")
      .optional(),
    "the Kth of N parts of the cells alone, as job arrays have it: 1/24",
    { group: groups.run, value: "k/n", machine: true },
  ),
  queue: option(z.string().optional(), `let workers on other machines compute (tbar sweep worker): ${server}`, queue),
  jobs: option(count().max(256).default(1), "steps at a time; they share the processor", {
    group: groups.run,
    value: "number",
    machine: true,
  }),
});

export const workerSpec = z.strictObject({
  queue: option(z.string(), `where cells wait: ${server}`, { ...queue, question: "which queue?" }),
  store: recipeFields.store,
  jobs: option(count().max(256).default(1), "cells at a time; they share the processor", {
    group: groups.run,
    value: "number",
    machine: true,
  }),
  threads: option(count().max(1024).optional(), "threads of each step (default: all, shared among --jobs)", {
    group: groups.run,
    value: "number",
    machine: true,
  }),
  lock: option(
    z.number().min(1).max(86_400).default(120),
    "seconds without a sign of life after which another worker takes over a cell",
    { group: groups.run, value: "seconds", machine: true },
  ),
  untilEmpty: option(z.boolean().default(false), "end when nothing waits or runs any more", {
    group: groups.run,
    machine: true,
  }),
});

export const exportSpec = z.strictObject({
  ...recipeFields,
  only,
  slurm: option(z.string().optional(), "a job array for Slurm", { group: groups.output, value: "file", machine: true }),
  k8s: option(z.string().optional(), "an indexed Job for Kubernetes", {
    group: groups.output,
    value: "file",
    machine: true,
  }),
  force: forceField(),
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
