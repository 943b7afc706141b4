/** Patience with connections that break. */
import { setTimeout as sleep } from "node:timers/promises";
import { TbarError } from "../tensor/error.ts";

/** A connection that broke, or a server that is busy: worth another try. */
export class Cut extends TbarError {
  constructor(message: string) {
    super("unavailable", message);
  }
}

export interface Patience {
  readonly signal?: AbortSignal;
  /** Milliseconds before the second try; doubled each time. Default 1 s. */
  readonly pause?: number;
}

/** Tries in a row without progress before it is given up. */
const tries = 5;

/** Run `work` again while it throws `Cut`; it calls `moved` when it gets on, which starts the count anew. */
export async function retrying<T>(
  { signal, pause = 1000 }: Patience,
  work: (moved: () => void) => Promise<T>,
): Promise<T> {
  for (let failures = 0; ; ) {
    try {
      return await work(() => (failures = 0));
    } catch (error) {
      if (signal?.aborted) throw new TbarError("interrupted", "pulling was interrupted");
      if (!(error instanceof Cut) || ++failures === tries) throw error;
      await sleep(pause * 2 ** (failures - 1), undefined, { signal }).catch(() => {});
    }
  }
}
