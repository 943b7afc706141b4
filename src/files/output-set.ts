/**
 * Outputs that belong together (model, vector, receipt, report) appear one after the other, so a run may be killed between them. While it
 * writes, OUT.unfinished.json says which are there; the same command then takes them for its own and finishes.
 */
import { lstat, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { z } from "zod";
import { badInput } from "../tensor/error.ts";
import { type OutputSet, writeFileAtomic } from "./atomic.ts";
import { isFile, parseAs, readJson } from "./files.ts";
import { isAlive } from "./temporary.ts";
import { filesWithin, foreignTo } from "./tree.ts";

/** How an output is known again: what a rename keeps, and a change does not. */
const outputSchema = z.object({
  /** From the folder that the journal lies in. */
  path: z.string(),
  inode: z.string(),
  /** Of a file: bytes and time of the last change. */
  size: z.number().optional(),
  changed: z.number().optional(),
  /** Of a folder: what is in it. */
  files: z.array(z.string()).optional(),
});
type Output = z.output<typeof outputSchema>;

const journalSchema = z.object({
  job: z.string(),
  host: z.string(),
  process: z.int().positive(),
  outputs: z.array(outputSchema),
});

/** Journals that this process is writing. */
const open = new Set<string>();

/** A set until its end, which is one of two. */
export interface OpenSet extends OutputSet {
  /** All outputs are there: they are nobody's to replace any more. */
  finish(): Promise<void>;
  /** The job failed. What it wrote is taken back, unless OUT itself is there: then the same command may replace it. */
  fail(): Promise<void>;
}

/**
 * The outputs of a job: OUT and others. `job` tells one command from another: what an unfinished run of it left is replaced. Throws
 * `bad-input` while another process is writing them.
 */
export async function openSet(out: string, job: string): Promise<OpenSet> {
  const path = `${resolve(out)}.unfinished.json`;
  const earlier = await readJournal(path, out, job);
  const outputs: Output[] = [...earlier];
  const last: (() => Promise<void>)[] = [];
  const place = (output: string) => relative(dirname(path), resolve(output));
  const owns = async (output: string) => {
    const known = outputs.filter(({ path }) => path === place(output));
    return (await Promise.all(known.map((one) => isThere(output, one)))).includes(true);
  };
  return {
    owns,
    async claim(output, temporary) {
      outputs.push(await describe(place(output), temporary));
      open.add(path);
      const journal = { job, host: hostname(), process: process.pid, outputs };
      await writeFileAtomic(path, `${JSON.stringify(journal, null, 1)}\n`, { force: true });
    },
    afterwards: (work) => last.push(work),
    async finish() {
      for (const work of last) await work();
      if (outputs.length > earlier.length) await rm(path, { force: true });
      open.delete(path);
    },
    async fail() {
      if (outputs.length > earlier.length && !(await owns(out))) await takeBack(path, outputs.slice(earlier.length));
      open.delete(path);
    },
  };
}

async function readJournal(path: string, out: string, job: string): Promise<readonly Output[]> {
  if (!(await isFile(path))) return [];
  const what = `${path} is not what an unfinished run of tbar leaves; remove it`;
  const journal = parseAs(journalSchema, await readJson(path), what);
  const isHere = journal.host === hostname();
  const living = isHere
    ? journal.process === process.pid
      ? open.has(path)
      : isAlive(journal.process)
    : await isFresh(path);
  if (living) {
    const where = isHere ? "" : ` on ${JSON.stringify(journal.host)}`;
    throw badInput(
      `another process (${journal.process}${where}) is writing ${out} at this moment; remove ${path} if it is not`,
    );
  }
  return journal.job === job ? journal.outputs : [];
}

/** Of another machine's process we see only whether it did something lately. */
async function isFresh(path: string): Promise<boolean> {
  return Date.now() - (await lstat(path)).mtimeMs < 10 * 60_000;
}

async function describe(path: string, temporary: string): Promise<Output> {
  const found = await lstat(temporary, { bigint: true });
  const inode = String(found.ino);
  if (found.isDirectory()) return { path, inode, files: await filesWithin(temporary) };
  return { path, inode, size: Number(found.size), changed: Number(found.mtimeMs) };
}

/** Is this the very output, unchanged? A folder may have lost some of its files. */
async function isThere(path: string, { inode, size, changed, files }: Output): Promise<boolean> {
  const found = await lstat(path, { bigint: true }).catch(() => undefined);
  if (found === undefined || String(found.ino) !== inode) return false;
  if (files !== undefined) return found.isDirectory() && (await foreignTo(path, new Set(files), 1)).length === 0;
  return found.isFile() && Number(found.size) === size && Number(found.mtimeMs) === changed;
}

/** Removes files that were written in vain, and the journal. Folders come last in every set. */
async function takeBack(journal: string, outputs: readonly Output[]): Promise<void> {
  for (const output of outputs) {
    const path = join(dirname(journal), output.path);
    if (output.files === undefined && (await isThere(path, output))) await rm(path, { force: true });
  }
  await rm(journal, { force: true });
}
