/** Output that appears whole or not at all: written under a temporary name beside the target, fsync, rename. */
import { rmSync } from "node:fs";
import { type FileHandle, lstat, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { badInput } from "../tensor/error.ts";
import { printable } from "../tensor/printable.ts";
import { closing, isFolder } from "./files.ts";
import { abandoned, letGo, temporaryName } from "./temporary.ts";
import { filesWithin, foreignTo, removeFiles } from "./tree.ts";
import { writeError } from "./write-error.ts";

export interface WriteOptions {
  /** Replace an output that exists. Without it an existing path is refused. */
  readonly force?: boolean;
  /** The outputs that this one belongs to. */
  readonly set?: OutputSet;
}

/** Outputs of one job, of which a run that was killed may have left some; see `openSet`. */
export interface OutputSet {
  /** Was it left by an earlier run of the same job, and is it as that run wrote it? Then it is replaced without `force`. */
  owns(path: string): Promise<boolean>;
  /** Told when an output is written and about to take its name. */
  claim(path: string, temporary: string): Promise<void>;
  /** Work to be done when all outputs are there, before they count as finished. */
  afterwards(work: () => Promise<void>): void;
}

/** Takes a chunk, whose memory must stay as it is until the next one is taken: the disk is written to beside other work. */
export type Write = (chunk: string | Uint8Array) => Promise<void>;
/** `write` appends; `overwrite` puts other bytes in place of as many first ones. */
export type Fill = (write: Write, overwrite: (first: Uint8Array) => Promise<void>) => Promise<void>;

/**
 * Write a file: a string, bytes, or a function that is handed `write` and may call it many times.
 * Throws `bad-input` when the path exists (without `force`), its folder is missing, or the disk is full; nothing is left behind.
 */
export async function writeFileAtomic(
  path: string,
  content: string | Uint8Array | Fill,
  options: WriteOptions = {},
): Promise<void> {
  await writeAtomic(path, options, async (temporary) => {
    await closing(open(temporary, "wx"), async (file) => {
      await (typeof content === "function" ? writeThrough(file, content) : file.writeFile(content));
      await file.sync();
    });
  });
}

/** Bytes after which they are sent to the disk while more are made: at the end little is left to wait for. */
const flushEvery = 64 * 2 ** 20;

async function writeThrough(file: FileHandle, content: Fill): Promise<void> {
  let unflushed = 0;
  let [written, flushed] = [Promise.resolve(), Promise.resolve()];
  const append = async (chunk: string | Uint8Array) => {
    await file.writeFile(chunk);
    unflushed += chunk.length;
    if (unflushed < flushEvery) return;
    unflushed = 0;
    await flushed;
    flushed = file.datasync();
    flushed.catch(() => {}); // thrown where it is awaited, and so below
  };
  const write: Write = async (chunk) => {
    await written;
    written = append(chunk);
    written.catch(() => {});
  };
  await content(write, async (first) => {
    await written;
    await file.write(first, 0, first.length, 0);
  });
  await written;
  await flushed;
}

/**
 * Write a whole folder: `fill` puts plain files into the temporary folder it is handed, which then takes the name `path`. With `force`
 * an existing folder is replaced, but only when the new one has every file and folder that the old one has, at any depth:
 * what nobody wrote again would be lost.
 */
export async function writeFolderAtomic(
  path: string,
  fill: (folder: string) => Promise<void>,
  options: WriteOptions = {},
): Promise<void> {
  const target = resolve(path);
  await writeAtomic(target, options, async (temporary) => {
    await mkdir(temporary);
    await fill(temporary);
    for (const name of await readdir(temporary)) await syncPath(join(temporary, name));
    await syncPath(temporary);
  });
}

/** Run `work` with a temporary name, and give what it wrote there the name `path`; the temporary name is gone afterwards, whatever happened; system errors become `bad-input`. */
async function writeAtomic(path: string, options: WriteOptions, work: (temporary: string) => Promise<void>) {
  const temporary = temporaryName(path, "tmp");
  try {
    await refuseExisting(path, options);
    for (const stale of await abandoned(path, "tmp")) await rm(stale, { recursive: true, force: true });
    unfinished.add(temporary);
    watcher(temporary, true);
    await work(temporary);
    await replace(temporary, path, options);
    await syncPath(dirname(path)).catch(() => {}); // the output is there already
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }).catch(() => {});
    throw writeError(path, temporary, error);
  } finally {
    unfinished.delete(temporary);
    letGo(temporary);
    watcher(temporary, false);
  }
}

async function replace(temporary: string, path: string, options: WriteOptions): Promise<void> {
  await refuseExisting(path, options); // again: it may have appeared while we wrote
  await options.set?.claim(path, temporary);
  if ((await isFolder(temporary)) && (await exists(path))) await replaceFolder(temporary, path);
  else await rename(temporary, path);
}

async function replaceFolder(temporary: string, path: string): Promise<void> {
  const names = new Set(await filesWithin(temporary));
  await refuseReplacing(path, names);
  const old = temporaryName(path, "old");
  try {
    await rename(path, old);
    try {
      await refuseReplacing(old, names, path); // again, where nobody puts anything any more
      await rename(temporary, path);
    } catch (error) {
      await rename(old, path);
      throw error;
    }
    await removeFiles(old, names);
  } finally {
    letGo(old);
  }
}

/** Throws `bad-input` when `folder`, an output called `path`, is no folder, or holds what a new one with these names would not. */
async function refuseReplacing(folder: string, names: ReadonlySet<string>, path = folder): Promise<void> {
  const found = await lstat(folder);
  if (!found.isDirectory()) {
    throw badInput(
      `${path} is ${found.isSymbolicLink() ? "a link" : "a file"} and would become a folder; choose another name or remove it yourself`,
    );
  }
  const foreign = (await foreignTo(folder, names)).map((name) => printable(name, 80));
  if (foreign.length > 0) {
    throw badInput(
      `${path} holds files that the new folder does not (${foreign.join(", ")}); choose another name or remove it yourself`,
    );
  }
}

/** Throws what writing a folder with these names would throw in the end: to be asked before the work begins. */
export async function refuseFolder(path: string, names: readonly string[], options: WriteOptions): Promise<void> {
  await refuseExisting(path, options);
  if (!(await exists(resolve(path)))) return;
  const folders = names.flatMap((name) => name.split("/").slice(0, -1).map((_, i, all) => `${all.slice(0, i + 1).join("/")}/`)); // biome-ignore format: one line
  await refuseReplacing(resolve(path), new Set([...names, ...folders]));
}

/** Throws `bad-input` when there is something of this name, without `force`. What a killed run moved away and did not replace is put back first. */
export async function refuseExisting(path: string, options: WriteOptions): Promise<void> {
  for (const old of await abandoned(resolve(path), "old")) {
    if (!(await exists(path))) await rename(old, resolve(path));
    else await removeFiles(old, new Set(await filesWithin(resolve(path)))); // it was replaced
  }
  if (options.force || !(await exists(path)) || (await options.set?.owns(path))) return;
  throw badInput(`${path} exists already; choose another name or pass --force to replace it`);
}

const exists = async (path: string) => (await lstat(path).catch(() => undefined)) !== undefined;

/** fsync of a file or folder by name. Windows cannot open folders: the rename alone must do there. */
async function syncPath(path: string): Promise<void> {
  const file = await open(path, "r").catch(() => undefined);
  await file?.sync().finally(() => file.close());
}

/** Temporary names in use, removed when the process exits in the middle (a signal handler that calls `process.exit`). */
const unfinished = new Set<string>();
process.on("exit", () => {
  for (const path of unfinished) rmSync(path, { recursive: true, force: true });
});

/** Told of each temporary name as it comes and goes, for a process that watches over this one. */
let watcher = (_temporary: string, _exists: boolean): void => {};
export function watchTemporaries(told: (temporary: string, exists: boolean) => void): void {
  watcher = told;
}
