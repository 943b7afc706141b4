/** Output that appears whole or not at all: written under a temporary name beside the target, fsync, rename. */
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { type FileHandle, lstat, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { badInput, TbarError } from "../tensor/error.ts";

export interface WriteOptions {
  /** Replace an output that exists. Without it an existing path is refused. */
  readonly force?: boolean;
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
    const file = await open(temporary, "wx");
    try {
      if (typeof content === "function") await writeThrough(file, content);
      else await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await replace(temporary, path, options);
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
 * Write a whole folder: `fill` puts plain files into the temporary folder it is handed, which then takes the name `path`.
 * With `force` an existing folder is replaced, but only when the new one has every name the old one had:
 * a file that nobody wrote again would be lost.
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
    const names = await readdir(temporary);
    for (const name of names) await syncPath(join(temporary, name));
    await syncPath(temporary);
    if (options.force && (await exists(target))) await replaceFolder(temporary, target, names);
    else await replace(temporary, target, options);
  });
}

/** Run `work` with a temporary name that is gone afterwards, whatever happened; system errors become `bad-input`. */
async function writeAtomic(path: string, options: WriteOptions, work: (temporary: string) => Promise<void>) {
  const temporary = temporaryName(path, "tmp");
  try {
    await refuseExisting(path, options);
    unfinished.add(temporary);
    await work(temporary);
    await syncPath(dirname(path)).catch(() => {}); // the output is there already
  } catch (error) {
    throw writeError(path, temporary, error);
  } finally {
    await rm(temporary, { recursive: true, force: true }).catch(() => {});
    unfinished.delete(temporary);
  }
}

async function replace(temporary: string, path: string, options: WriteOptions): Promise<void> {
  await refuseExisting(path, options); // again: it may have appeared while we wrote
  await rename(temporary, path);
}

async function replaceFolder(temporary: string, path: string, names: readonly string[]): Promise<void> {
  const lost = (await readdir(path)).filter((name) => !names.includes(name));
  if (lost.length > 0) {
    throw badInput(
      `${path} holds files that the new folder does not (${lost.slice(0, 5).join(", ")}); ` +
        "choose another name or remove it yourself",
    );
  }
  const old = temporaryName(path, "old");
  await rename(path, old);
  try {
    await rename(temporary, path);
  } catch (error) {
    await rename(old, path);
    throw error;
  }
  await rm(old, { recursive: true, force: true });
}

export async function refuseExisting(path: string, options: WriteOptions): Promise<void> {
  if (!options.force && (await exists(path))) {
    throw badInput(`${path} exists already; choose another name or pass --force to replace it`);
  }
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

function temporaryName(path: string, kind: "tmp" | "old"): string {
  return join(dirname(path), `${basename(path)}.${kind}-${process.pid}-${randomBytes(3).toString("hex")}`);
}

/** fsync of a file or folder by name. Windows cannot open folders: the rename alone must do there. */
async function syncPath(path: string): Promise<void> {
  let file: FileHandle;
  try {
    file = await open(path, "r");
  } catch {
    return;
  }
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Temporary names in use, removed when the process exits in the middle (a signal handler that calls `process.exit`). */
const unfinished = new Set<string>();
process.on("exit", () => {
  for (const path of unfinished) rmSync(path, { recursive: true, force: true });
});

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EFBIG: "it would be larger than the file size limit",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "the file system is read-only",
  ENOENT: "its folder does not exist",
  ENOTDIR: "its parent is not a folder",
  EISDIR: "it is a folder",
  ENAMETOOLONG: "the name is too long",
};

function writeError(path: string, temporary: string, error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  if (error instanceof TbarError) {
    return new TbarError(error.code, error.message.replaceAll(temporary, path), { cause: error });
  }
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined || !/^E[A-Z]+$/.test(code)) return error; // a fault of ours, not of the system
  return badInput(`cannot write ${path}: ${REASONS[code] ?? error.message}`, error);
}
