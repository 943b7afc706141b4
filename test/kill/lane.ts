/** Some of the killings of one command, as JSON on standard output: lane.ts JOB LANE LANES */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jobs } from "./jobs.ts";
import { kill } from "./killed.ts";

const [name, lane, lanes] = process.argv.slice(2);
const folder = await mkdtemp(join(tmpdir(), "tbar-kill-"));
const job = jobs.find((one) => one.name === name);
if (job === undefined) throw new Error(`no job ${name}`);
console.log(JSON.stringify(await kill(job, { folder, lane: Number(lane), lanes: Number(lanes) })));
await rm(folder, { recursive: true });
