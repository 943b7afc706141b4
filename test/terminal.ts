/** `tbar` in this process, its words kept as strings. */

import { jobs } from "../src/cli/all-jobs.ts";
import { run } from "../src/cli/run.ts";

export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** `stopAt`: interrupt as soon as these words appear among the progress. A result that its own schema does not fit is refused. */
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
  if (argv.includes("--json")) await checkResult(argv, said.out);
  return { code, ...said };
}

async function checkResult(argv: readonly string[], out: string): Promise<void> {
  const json = JSON.parse(out);
  const listed = jobs[argv.slice(0, 2).join(" ")] ?? jobs[argv[0]];
  if (listed !== undefined && json.schema !== undefined) (await listed.load()).result.parse(json);
}
