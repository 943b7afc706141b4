/** Everything tbar does with a file that a stranger gives it, short of running a model: open it, read all of it, look into it. */
import { open } from "node:fs/promises";
import { readCheckpoint } from "../../src/checkpoint/clip-folder.ts";
import { openWeights } from "../../src/checkpoint/formats/open-weights.ts";
import { tarEntries } from "../../src/data/formats/tar.ts";
import { inspect } from "../../src/jobs/inspect/job.ts";
import { runJob } from "../../src/jobs/run-job.ts";
import { TbarError } from "../../src/tensor/error.ts";

export interface Attempt {
  /** `crashed`: an error that is no TbarError, which would be a fault of tbar's. */
  readonly outcome: "read" | "refused" | "crashed";
  /** Why it was refused, or how it crashed; of a file that was read, the names in it. */
  readonly message: string;
  readonly seconds: number;
}

export async function attempt(path: string): Promise<Attempt> {
  const start = performance.now();
  const found = await outcomeOf(() => (path.endsWith(".tar") ? readTar(path) : readWeights(path)));
  const looked = path.endsWith(".tar") ? found : await outcomeOf(() => runJob(inspect, { path }));
  const worse = looked.outcome === "crashed" ? looked : found;
  return { ...worse, seconds: (performance.now() - start) / 1000 };
}

async function outcomeOf(work: () => Promise<unknown>): Promise<Pick<Attempt, "outcome" | "message">> {
  try {
    return { outcome: "read", message: String(await work()) };
  } catch (error) {
    const refused = error instanceof TbarError && error.code === "bad-input";
    return {
      outcome: refused ? "refused" : "crashed",
      message: refused ? error.message : String((error as Error).stack),
    };
  }
}

/** A folder or a file that claims to be a model is read as one, anything else as tensors. */
async function readWeights(path: string): Promise<string> {
  if (!/\.\w+$/.test(path)) {
    const checkpoint = await readCheckpoint(path);
    await checkpoint.weights();
    return [...checkpoint.dtypes.keys()].join(" ");
  }
  const file = await openWeights(path);
  try {
    for (const name of file.tensors.keys()) await file.readRaw(name);
    return [...file.tensors.keys()].join(" ");
  } finally {
    await file.close();
  }
}

async function readTar(path: string): Promise<string> {
  const names: string[] = [];
  const handle = await open(path);
  try {
    for await (const { name } of tarEntries(handle, path)) names.push(name);
  } finally {
    await handle.close();
  }
  return names.join(" ");
}
