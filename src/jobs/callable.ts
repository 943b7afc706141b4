/** A job as a function of the library: it takes the spec that the command takes. */
import type { z } from "zod";
import type { Frozen } from "../results/base.ts";
import type { Given } from "./context.ts";
import type { Job } from "./job.ts";
import { runJob } from "./run-job.ts";

/** The job is loaded when it is first called for. */
export function callable<Spec extends z.ZodObject, Result extends z.ZodType>(
  load: () => Promise<Job<Spec, Result>>,
): (spec: z.input<Spec>, given?: Given) => Promise<Frozen<z.output<Result>>> {
  return async (spec, given) => runJob(await load(), spec, given);
}
