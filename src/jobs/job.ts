/** The contract of everything that can be asked for, by a command, a program, a sweep. */
import type { z } from "zod";
import type { Frozen } from "../results/base.ts";
import type { Context } from "./context.ts";
import type { Estimate } from "./progress/estimate.ts";

/** What a job is, in words: the head of its help page, its manual and its JSON Schema. */
export interface Page {
  /** A paragraph. */
  readonly about: string;
  readonly examples: readonly string[];
  /** More that is good to know, below the options. */
  readonly notes?: string;
  /** Exit statuses of its own, a line each ("  3    inconclusive"), in place of what 0 and 1 say of other jobs. */
  readonly exits?: string;
}

/**
 * A job is data: its spec is JSON and nothing else, so it can be written into a file, sent to another process, hashed and swept. From the
 * spec's one definition come the command's options and help, --config, JSON Schema and the library's types; from the result's its type,
 * reading it back, and its documentation.
 */
export interface Job<Spec extends z.ZodObject = z.ZodObject, Result extends z.ZodType = z.ZodType> extends Page {
  /** As on the command line: "clean", "vector diff". */
  readonly name: string;
  /** Fields made by `option` of fields.ts: with default, range and help text. */
  readonly spec: Spec;
  readonly result: Result;
  /** A file of options (as --config) that is read where it lies in the working folder and no other is named. */
  readonly config?: string;
  /** What it writes, the main output first: they appear together or not at all, and are checked before anything is opened. */
  outputs?(spec: z.output<Spec>): Promise<readonly (string | undefined)[]>;
  /** A folder that it makes, for its outputs to lie in. */
  creates?(spec: z.output<Spec>): string;
  /** Checks all that `run` would refuse beforehand, and says what time, memory and disk it takes (--dry-run). */
  plan?(spec: z.output<Spec>, context: Context): Promise<Estimate>;
  run(spec: z.output<Spec>, context: Context): Promise<Frozen<z.output<Result>>>;
  /** Can this work be taken up again from `state`? Absent where it always can. */
  resumes?(spec: z.output<Spec>): boolean;
  /** Did what was asked for come true? If not the command ends with 1. Absent where there is nothing to fail. */
  succeeded?(result: Frozen<z.output<Result>>): boolean;
  /** The command's exit status, of a job whose answer is more than yes or no: those that its page lists as `exits`. */
  exitCode?(result: Frozen<z.output<Result>>, spec: z.output<Spec>): number;
}

/** A job with its types inferred. */
export function job<Spec extends z.ZodObject, Result extends z.ZodType>(
  definition: Job<Spec, Result>,
): Job<Spec, Result> {
  return definition;
}

/** What is asked for: fields with defaults may be left out. */
export type SpecOf<J extends Job> = z.input<J["spec"]>;

/** Headings of help pages, in their order; a job's own come between the first two. */
export const groups = { inputs: "Model and data:", run: "This run:", output: "Output:" } as const;
