/** Small files and hashes: bounded reads, JSON checked by a schema, SHA-256 of a stream. */
import { constants } from "node:buffer";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { closeSync, fstatSync, constants as openFlags, openSync, readSync } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { basename } from "node:path";
import { Worker } from "node:worker_threads";
import type { z } from "zod";
import { badInput } from "../tensor/error.ts";
import { printable } from "../tensor/printable.ts";
import { type JsonLimits, jsonLimits, parseJson } from "./json.ts";
import { lfsPointerLimit, refuseLfsPointer } from "./lfs.ts";

const MIB = 2 ** 20;

/** Nobody may write at the other end of a pipe: it is opened without waiting. Windows has no such flag, and no such pipes. */
const withoutWaiting = openFlags.O_RDONLY | (openFlags.O_NONBLOCK ?? 0);

/**
 * A handle to a regular file. Throws `bad-input` where there is none: for pipes, sockets and devices (`/dev/zero` has no end), whatever path or
 * link leads to them; for a Git LFS pointer; and for what may not be read.
 */
export async function openFile(path: string): Promise<FileHandle> {
  const file = await open(path, withoutWaiting).catch((error) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") throw badInput(`there is no file ${path}`, error);
    throw badInput(`cannot read ${path}: ${error.message}`, error);
  });
  try {
    const found = await file.stat(); // of what was opened: the path may lead elsewhere by now
    if (found.isDirectory()) throw badInput(`there is no file ${path}: it is a folder`);
    if (!found.isFile()) throw badInput(`${path} is no regular file: pipes, sockets and devices are not read`);
    const { size } = found;
    if (size < lfsPointerLimit) refuseLfsPointer(await readBytes(file, 0, size, path), path);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Exactly `length` bytes from `position`, in `bytes` or a buffer of their own; in parts, as one read call gives at most 2 GiB. */
export async function readBytes(
  file: Pick<FileHandle, "read">,
  position: number,
  length: number,
  path: string,
  bytes?: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  if (length > constants.MAX_LENGTH) throw badInput(`${path}: ${length} bytes do not fit into one buffer`);
  bytes ??= new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const part = Math.min(length - done, 2 ** 28);
    const { bytesRead } = await file.read(bytes, done, part, position + done);
    if (bytesRead === 0) throw badInput(`${path} became shorter while it was read`);
    done += bytesRead;
  }
  return bytes;
}

/** Runs `work` with what is opened, and closes it however that ends. */
export async function closing<Open extends { close(): Promise<void> }, T>(
  opening: Promise<Open>,
  work: (open: Open) => Promise<T>,
): Promise<T> {
  const open = await opening;
  try {
    return await work(open);
  } finally {
    await open.close();
  }
}

export const withFile = <T>(path: string, work: (file: FileHandle) => Promise<T>) => closing(openFile(path), work);

/** The whole file, which may hold at most `limit` bytes (default 64 MiB: the largest tokenizers have 35). */
export function readSmallFile(path: string, limit = 64 * MIB): Promise<Buffer> {
  return withFile(path, async (file) => {
    const { size } = await file.stat();
    if (size > limit) throw badInput(`${path} has ${size} bytes; at most ${limit} are read of a file of its kind`);
    return file.readFile();
  });
}

/** Files of up to so many bytes are read at once; where the usual one takes longer than so many ms, the next so many are not. */
const atOnce = { bytes: 4 * MIB, slow: 5, pause: 200 } as const;
let [usual, paused] = [0, 0];

/**
 * The whole of a small regular file, at once: on a disk that answers in microseconds, turns of the event loop take longer than the reading.
 * Undefined where it should be read the usual way, which also says what is wrong with it: what is no regular file, large, or as small as a Git
 * LFS pointer, and for a while where reading takes long, as on a network drive.
 */
export function readAtOnce(path: string): Buffer | undefined {
  if (paused > 0) {
    paused--;
    return undefined;
  }
  const start = performance.now();
  let file: number | undefined;
  try {
    file = openSync(path, withoutWaiting);
    const found = fstatSync(file);
    const { size } = found;
    if (!found.isFile() || size < lfsPointerLimit || size > atOnce.bytes) return undefined;
    const bytes = Buffer.allocUnsafeSlow(size);
    return readSync(file, bytes, 0, size, 0) === size ? bytes : undefined;
  } catch {
    return undefined;
  } finally {
    if (file !== undefined) closeSync(file);
    usual += (performance.now() - start - usual) / 8; // one alone may have waited for a processor
    if (usual > atOnce.slow) [usual, paused] = [0, atOnce.pause];
  }
}

/** The value in a JSON file, by the one bounded reader. Throws `bad-input` on what is larger, deeper or no JSON. */
export async function readJson(path: string, limits: Partial<JsonLimits> = {}): Promise<unknown> {
  return parseJson(await readSmallFile(path, limits.bytes ?? jsonLimits.bytes), path, limits);
}

/** The value as the schema's type; throws `bad-input` naming `what`, the first fields that do not fit, and why. */
export function parseAs<Schema extends z.ZodType>(schema: Schema, value: unknown, what: string): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.slice(0, 3).map(({ path, message }) => `${path.join(".") || "value"}: ${message}`);
  throw badInput(`${what}: ${issues.map((issue) => printable(issue, 500)).join("; ")}`);
}

export async function isFile(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() ?? false;
}

export async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() ?? false;
}

/** Throws `bad-input` for an output with a pickle's name: what we write is none, and so nobody could load it. */
export function refusePickleName(out: string): void {
  if (!/\.(pt|pth|bin|ckpt|pkl|pickle)$/i.test(out)) return;
  throw badInput(`cannot write ${out}: weights are written as safetensors, never as a pickle; call it .safetensors`);
}

/** SHA-256 of a file in lower-case hexadecimal. Of a large one in a thread of its own, beside whatever else is done. */
export function sha256File(path: string): Promise<string> {
  return withFile(path, (file) =>
    hashOf(file).catch((error) => {
      throw badInput(`cannot read ${path}: ${error.message}`, error);
    }),
  );
}

async function hashOf(file: FileHandle): Promise<string> {
  const { size } = await file.stat();
  if (size < 64 * MIB) return sha256(await file.readFile());
  const worker = new Worker(hashing, { eval: true, execArgv: [], workerData: { file: file.fd } });
  const [answer] = await once(worker, "message");
  return answer;
}

const sha256 = (content: string | Uint8Array) => createHash("sha256").update(content).digest("hex");

const hashing = `
  const { createHash } = require("node:crypto");
  const { readSync } = require("node:fs");
  const { parentPort, workerData } = require("node:worker_threads");
  const hash = createHash("sha256");
  const bytes = new Uint8Array(2 ** 20);
  for (let at = 0, read; (read = readSync(workerData.file, bytes, 0, bytes.length, at)) > 0; at += read) {
    hash.update(bytes.subarray(0, read));
  }
  parentPort.postMessage(hash.digest("hex"));`;

/** That of one file; of several, that of the lines that `sha256sum` prints for them, in the order of their names. */
export async function sha256Files(paths: readonly string[]): Promise<string> {
  if (paths.length === 1) return sha256File(paths[0]);
  const lines: string[] = [];
  for (const path of paths.toSorted()) lines.push(`${await sha256File(path)}  ${basename(path)}\n`);
  return sha256(lines.join(""));
}
