/** Patience with connections that break. */
import { setTimeout as sleep } from "node:timers/promises";
import { TbarError } from "../tensor/error.ts";

/** A connection that broke, or a server that is busy: worth another try. */
export class Cut extends TbarError {
  /** Milliseconds after which the server asks to be tried again. */
  readonly after?: number;
  constructor(message: string, after?: number) {
    super("unavailable", message);
    this.after = after;
  }
}

export interface Patience {
  readonly signal?: AbortSignal;
  /** Milliseconds before the second try; doubled each time. Default 1 s. */
  readonly pause?: number;
}

/** Tries in a row without progress before it is given up. */
const tries = 5;
/** The longest that a server's wish to be left alone is heeded, in milliseconds; one that asks for more is given up at once. */
const longestWait = 60_000;

/**
 * Run `work` again while it throws `Cut`; it calls `moved` when it gets on, which starts the count anew. A server that asks for
 * patience (Retry-After) gets it, within bounds.
 */
export async function retrying<T>(
  { signal, pause = 1000 }: Patience,
  work: (moved: () => void) => Promise<T>,
): Promise<T> {
  for (let failures = 0; ; ) {
    try {
      return await work(() => (failures = 0));
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof Cut) || ++failures === tries) throw error;
      const { after = 0 } = error;
      if (after > longestWait) {
        const wait = Math.ceil(after / 1000);
        throw new TbarError("unavailable", `${error.message}, and asks to be left alone for ${wait} s`);
      }
      await sleep(Math.max(after, pause * 2 ** (failures - 1)), undefined, { signal }).catch(() => {});
    }
  }
}

/** Milliseconds of a Retry-After header: seconds, or a date. Undefined for anything else. */
export function retryAfter(header: string | null, now = Date.now()): number | undefined {
  if (header === null) return undefined;
  const wait = /^\d{1,9}$/.test(header.trim()) ? 1000 * Number(header) : Date.parse(header) - now;
  return Number.isFinite(wait) ? Math.max(0, wait) : undefined;
}
