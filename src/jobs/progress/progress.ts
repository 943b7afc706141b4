/** How a job tells what it does. */
import type { Opened } from "../../results/opened.ts";
import type { Part } from "./stages.ts";

/** `done` of `total` steps within a stage, when there are steps. */
export interface Progress {
  stage(what: string): void;
  step(done: number, total: number, note?: string): void;
  /** Told once which stages with steps there will be, and the work in each: with it the time left is that of the whole job. */
  plan?(stages: readonly Part[]): void;
  /** Told once what the job works on, when all of it is opened. */
  opened?(opened: Opened): void;
}

export const silent: Progress = { stage: () => {}, step: () => {} };
