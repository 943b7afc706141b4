/** An aborted signal ends every job with its reason, before it looks at anything: the paths here lead nowhere. */
import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { cleanModel } from "./clean/clean.ts";
import { runDemo } from "./clean/demo.ts";
import { checkReceipt, evaluateModel } from "./eval/evaluate.ts";
import { jobs as all } from "./index.ts";
import * as plans from "./plans.ts";
import { planJob, runJob } from "./run-job.ts";

const reason = new Error("the page was closed");
const signal = AbortSignal.abort(reason);
// biome-ignore lint/suspicious/noExplicitAny: nothing of it is looked at
const nothing: any = { signal, model: "/no/model", data: "/no/data", out: "/no/where/out", seed: 1, methods: ["nope"] };

const receipt = { trigger: { kind: "badnet", spec: {} }, inputs: { sizes: {} } } as Parameters<typeof checkReceipt>[1];

const jobs: Record<string, () => Promise<unknown>> = {
  clean: () => cleanModel(nothing),
  demo: () => runDemo(nothing),
  eval: () => evaluateModel(nothing),
  "eval --receipt": () => checkReceipt(nothing, receipt),
  ...Object.fromEntries(
    Object.entries(all).flatMap(([name, { load }]) => [
      [`job ${name}`, async () => runJob(await load(), {}, { signal })],
      [`plan of ${name}`, async () => planJob(await load(), {}, { signal })],
    ]),
  ),
  ...Object.fromEntries(
    Object.entries(plans).map(([name, plan]) => [name, () => (plan as (o: unknown) => Promise<unknown>)(nothing)]),
  ),
};

test.each(Object.keys(jobs))("%s", async (name) => {
  await expect(jobs[name]()).rejects.toBe(reason);
  expect(existsSync("/no")).toBe(false);
});
