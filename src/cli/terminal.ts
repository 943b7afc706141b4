/** Where a command's words go and how it is stopped: the process in earnest, strings in tests. */

export interface Sink {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface Terminal {
  /** The result, and nothing else. */
  readonly out: Sink;
  /** Everything meant for human eyes. */
  readonly err: Sink;
  readonly signal: AbortSignal;
}
