/** tbar demo: the main job on what ships with the package. */
import { rmdir } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder } from "../../files/folder.ts";
import { cleanResult } from "../../results/clean.ts";
import { clean, cleanOutputs } from "../clean/job.ts";
import { job } from "../job.ts";
import { parseSpec } from "../spec.ts";
import { type DemoSpec, demoSpec } from "./spec.ts";

export const demo = job({
  name: "demo",
  about:
    "Takes the shipped CLIP with a BadNet backdoor, estimates the trigger's vector, subtracts it, and verifies on held-out " +
    "images that the backdoor is gone and the model still works. No arguments, no downloads, a few minutes.",
  examples: ["tbar demo", "tbar demo --seed 2 --out again --json"],
  spec: demoSpec,
  result: cleanResult,
  creates: ({ out }) => out,
  outputs: async (spec) => cleanOutputs(cleaning(spec)),
  plan: async (spec, context) => (await import("../clean/plan.ts")).planClean(cleaning(spec), context),
  async run(spec, context) {
    const { clean } = await import("../clean/run.ts");
    await makeFolder(spec.out);
    return clean(cleaning(spec), context).catch(async (error) => {
      await rmdir(spec.out).catch(() => {}); // if it is empty, that is
      throw error;
    });
  },
  succeeded: clean.succeeded,
});

/** The cleaning that the demo is. */
function cleaning({ out, ...spec }: DemoSpec) {
  return parseSpec(clean, {
    ...spec,
    model: "shapes-badnet",
    cleanControl: "shapes",
    data: "shapes",
    out: join(out, "cleaned"),
    report: join(out, "report.html"),
    // half of the usual: what is trained takes longest
    sizes: { forget: 512, clean: 512 },
    recovery: 100,
  });
}
