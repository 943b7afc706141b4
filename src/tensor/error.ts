/** The one error class: what was asked, what was found, what would work. The code decides the exit status. */

/**
 * - `bad-input`: a file, option, name or value that cannot be used (exit 2)
 * - `unavailable`: something this machine lacks, such as an execution provider (exit 2)
 * - `not-proven`: the work finished but its claim does not hold (exit 1)
 * - `internal`: a fault of tbar's own, such as a process that crashed (exit 70)
 *
 * An aborted job throws the signal's reason instead, whatever that is (the command line exits with 130).
 */
export type ErrorCode = "bad-input" | "unavailable" | "not-proven" | "internal";

export class TbarError extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "TbarError";
    this.code = code;
  }
}

export function badInput(message: string, cause?: unknown): TbarError {
  return new TbarError("bad-input", message, cause === undefined ? undefined : { cause });
}

/** `unknown attack "badnets"; did you mean "badnet"? known: badnet, blended` */
export function unknownName(kind: string, asked: string, known: readonly string[]): TbarError {
  const near = nearest(asked, known);
  const hint = near === undefined ? ";" : `; did you mean "${near}"?`;
  const said = asked.length > 200 ? `${asked.slice(0, 200)}...` : asked;
  const shown = known.length > 24 ? `${known.slice(0, 24).join(", ")}, ... (${known.length} in all)` : known.join(", ");
  return badInput(`unknown ${kind} "${said}"${hint} known: ${shown}`);
}

/** The known name at the smallest edit distance, if it is near enough to be a slip of the finger. */
export function nearest(asked: string, known: readonly string[]): string | undefined {
  if (asked.length > 100) return undefined; // nobody's slip, and the distance takes time in both lengths
  const limit = Math.max(2, Math.floor(asked.length / 3));
  let best: string | undefined;
  let bestDistance = limit + 1;
  for (const name of known) {
    const d = editDistance(asked.toLowerCase(), name.toLowerCase());
    if (d < bestDistance) {
      best = name;
      bestDistance = d;
    }
  }
  return best;
}

/** Levenshtein distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      row[j] = Math.min(row[j - 1] + 1, previous[j] + 1, previous[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    previous = row;
  }
  return previous[b.length];
}
