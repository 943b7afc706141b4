/** Two jobs that take no time, for sweeps: one makes a "model" (a file with a number), one measures it. */
import { readFileSync, writeFileSync } from "node:fs";
import { z } from "zod";
import { option, outFields, runFields } from "../src/jobs/fields.ts";
import type { Listed } from "../src/jobs/index.ts";
import { job } from "../src/jobs/job.ts";
import { resultHead } from "../src/results/base.ts";
import { rate } from "../src/stats/rate.ts";
import { badInput } from "../src/tensor/error.ts";

const text = { about: "A toy.", examples: [] };

/** What was run, in order: "make 3", "measure 3". */
export const ran: string[] = [];

const make = job({
  name: "make",
  ...text,
  spec: z.strictObject({
    strength: option(z.number().min(0).default(0.5), "how much"),
    ...runFields,
    ...outFields("where it goes", "where?"),
  }),
  result: z.looseObject({ ...resultHead("make", 1), strength: z.number(), seconds: z.number() }),
  async run({ strength, seed, out }) {
    ran.push(`make ${strength} ${seed}`);
    if (strength > 1) throw badInput("too strong");
    if (out !== undefined) writeFileSync(out, String(strength));
    return { schema: "tbar/make/1" as const, kind: "make" as const, strength, seconds: 2, examples: ["a picture"] };
  },
});

const measure = job({
  name: "measure",
  ...text,
  spec: z.strictObject({
    model: option(z.string(), "which", { names: "model" }),
    factor: option(z.number().default(1), "times"),
    settings: option(z.record(z.string(), z.number()).optional(), "any"),
    ...runFields,
  }),
  result: z.looseObject({ ...resultHead("measure", 1), hits: z.looseObject({ value: z.number() }) }),
  async run({ model, factor, seed }) {
    const strength = Number(readFileSync(model, "utf8"));
    ran.push(`measure ${strength} ${seed}`);
    const hits = rate(Math.round(200 * Math.min(1, strength * factor)), 200);
    const variants = { one: { after: hits }, two: { after: rate(10, 200) } };
    return {
      schema: "tbar/measure/1" as const,
      kind: "measure" as const,
      hits,
      before: rate(190, 200),
      variants,
      gone: strength < 0.3,
    };
  },
});

export const toyJobs: Readonly<Record<string, Listed>> = {
  make: { summary: "make", load: async () => make },
  measure: { summary: "measure", load: async () => measure },
};
