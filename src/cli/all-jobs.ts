/** All that commands are made of: the jobs, and what runs many of them. */
import * as single from "../jobs/index.ts";
import { sweepFamily, sweepJobs } from "../sweep/jobs.ts";

export const jobs: typeof single.jobs = { ...single.jobs, ...sweepJobs };
export const families: typeof single.families = { ...single.families, sweep: sweepFamily };
