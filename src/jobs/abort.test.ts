/** An aborted signal ends every job with its reason, before it looks at anything: the paths here lead nowhere. */
import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { jobs as all } from "./index.ts";
import { planJob, runJob } from "./run-job.ts";

const reason = new Error("the page was closed");
const signal = AbortSignal.abort(reason);

const jobs: Record<string, () => Promise<unknown>> = Object.fromEntries(
  Object.entries(all).flatMap(([name, { load }]) => [
    [name, async () => runJob(await load(), {}, { signal })],
    [`plan of ${name}`, async () => planJob(await load(), {}, { signal })],
  ]),
);

test.each(Object.keys(jobs))("%s", async (name) => {
  await expect(jobs[name]()).rejects.toBe(reason);
  expect(existsSync("/no")).toBe(false);
});
