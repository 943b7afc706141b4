/** A process that asks for a job of child-jobs.ts, to be killed. */
import { runInChild } from "../src/jobs/child.ts";

const [name, out] = process.argv.slice(2);
await runInChild(name, { out }, { list: new URL("./child-jobs.ts", import.meta.url).href });
