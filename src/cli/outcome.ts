/** What a command hands to the frame around it: the result once as data, once as text. */
import type { Progress } from "../jobs/context.ts";

export interface Outcome {
  /** What --json prints. */
  readonly json: object;
  readonly text: string;
  /** False when the work finished but what was asked for did not come true. */
  readonly verified?: boolean;
  /** An exit status of the command's own, in place of what `verified` says. */
  readonly exitCode?: number;
}

/** What the frame hands to a command's work. */
export interface Job {
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** The command line, for results to record. */
  readonly command: string;
  /** A line on standard error, --quiet or not. */
  say(text: string): void;
}

/** Runs a command's work with progress, and prints its outcome. */
export type Perform = (
  options: { readonly json?: true; readonly quiet?: true },
  work: (job: Job) => Promise<Outcome>,
) => Promise<void>;

/** Exit statuses, as every help page lists them. */
export const exits = { done: 0, notVerified: 1, badInput: 2, internal: 70, interrupted: 130 } as const;

const usual = `  0    done, and verified where there is something to verify
  1    finished, but not verified`;

/** What a page of help says of exit statuses; `own` are the lines of a command whose answer is more than yes or no. */
export const exitsText = (own = usual): string => `Exit codes:
${own}
  2    bad input: an option, a file or a device that cannot be used
  70   a fault of tbar itself (please report it, with --debug)
  130  interrupted (143 by SIGTERM, 129 by SIGHUP)`;

export const exitsHelp = exitsText();
