/** Jobs that end as no job should, for the process that runs them; and one that works. */
import { writeFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";
import { writeFileAtomic } from "../src/files/atomic.ts";
import { option } from "../src/jobs/fields.ts";
import type { Listed } from "../src/jobs/index.ts";
import { job } from "../src/jobs/job.ts";
import { badInput } from "../src/tensor/error.ts";

const toy = (how: string, run: (out: string, signal?: AbortSignal) => unknown): [string, Listed] => [
  how,
  {
    summary: "a toy",
    load: async () =>
      job({
        name: how,
        about: "A toy.",
        examples: [],
        spec: z.strictObject({ out: option(z.string(), "a file") }),
        result: z.unknown(),
        run: async ({ out }, { progress, signal }) => {
          progress.stage(how);
          return run(out, signal);
        },
      }),
  },
];

const blocked = () => {
  for (;;) Math.random();
};

export const jobs: Readonly<Record<string, Listed>> = Object.fromEntries([
  toy("refuse", () => {
    throw badInput("no such thing");
  }),
  toy("fault", () => {
    throw new TypeError("x is not a function");
  }),
  toy("system", (out) => writeFileSync(`${out}/no/such/folder`, "")),
  toy("abort", () => process.abort()),
  toy("exit", () => process.exit(3)),
  toy("reject later", async () => {
    setTimeout(() => {
      throw new Error("too late");
    });
    await wait(5000);
  }),
  toy("heap", () => {
    const held: object[] = [];
    for (let i = 0; ; i++) held.push({ i, text: `${i}` });
  }),
  toy("buffer", () => new Float32Array(2 ** 50)),
  toy("tell anything", () => {
    for (const told of [null, "x", { step: "constructor", given: [1] }, { step: "stage", given: ["told"] }])
      process.send?.(told as object);
    throw Object.assign(new Error("with a function"), { code: () => 1 });
  }),
  toy("print", () => {
    for (let i = 0; i < 2000; i++) process.stdout.write(`{"result": ${i}} ${"x".repeat(100)}\n`);
    console.error("and there");
    return { printed: true, nothing: Number.NaN };
  }),
  toy("block while writing", (out) =>
    writeFileAtomic(out, async (write) => {
      await write("half of it");
      await wait(50); // the message goes out
      blocked();
    }),
  ),
  toy("wait", (_, signal) => wait(60_000, undefined, { signal })),
  toy("pid", async (out) => {
    writeFileSync(out, String(process.pid));
    await wait(200);
    blocked();
  }),
]);
