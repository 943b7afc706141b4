/** `tbar` in this process, its words kept as strings. */
import { run } from "../src/cli/run.ts";

export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** `stopAt`: interrupt as soon as these words appear among the progress. */
export async function tbar(argv: readonly string[], stopAt?: string): Promise<Said> {
  const said = { out: "", err: "" };
  const stop = new AbortController();
  const code = await run(argv, {
    out: { write: (text) => (said.out += text) },
    err: {
      write(text) {
        said.err += text;
        if (stopAt !== undefined && said.err.includes(stopAt)) stop.abort();
      },
    },
    signal: stop.signal,
  });
  return { code, ...said };
}
