/** Compressed archives (.tar.gz), unpacked once into a file without a name: what is read from it later is read at any place. */
import { closeSync, fstat, openSync, read, write } from "node:fs";
import { type FileHandle, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { createGunzip } from "node:zlib";
import { badInput, TbarError } from "../../tensor/error.ts";

/** Images hardly shrink: an archive of them that grows more than this is none. */
const maxGrowth = 16;
const alwaysAllowed = 64 * 2 ** 20;

/** What archives are read through. */
export type ReadAt = Pick<FileHandle, "read" | "stat">;

/** A file handle that is collected as garbage makes Node complain; a number that is let go does not. */
const closing = new FinalizationRegistry<number>((file) => closeSync(file));

/**
 * The unpacked bytes, in a file without a name in the system's folder for temporary files, which needs that much room; it is gone when nobody has it any more, or the
 * process ends. Throws TbarError when `source` is no whole gzip file, or unpacks to more than 16 times its size (and 64 MiB).
 */
export async function gunzipped(source: FileHandle, path: string): Promise<ReadAt> {
  const { size } = await source.stat();
  const most = Math.max(alwaysAllowed, maxGrowth * size);
  const folder = await mkdtemp(join(tmpdir(), "tbar-unpacked-"));
  const file = openSync(join(folder, "archive.tar"), "wx+", 0o600);
  try {
    let written = 0;
    const unzip = createGunzip();
    const stored = source.createReadStream({ start: 0, autoClose: false });
    stored.on("error", (error) => unzip.destroy(error)).pipe(unzip);
    for await (const chunk of unzip as AsyncIterable<Uint8Array>) {
      if (written + chunk.length > most) throw badInput(`${path} unpacks to more than ${most} bytes; it has ${size}`);
      for (let at = 0; at < chunk.length; ) {
        at += (await promisify(write)(file, chunk, at, chunk.length - at, written + at)).bytesWritten;
      }
      written += chunk.length;
    }
  } catch (cause) {
    closeSync(file);
    throw cause instanceof TbarError ? cause : badInput(`cannot unpack ${path}: ${(cause as Error).message}`, cause);
  } finally {
    await rm(folder, { recursive: true, force: true }); // an open file is kept until it is closed
  }
  const unpacked = {
    read: (bytes: Uint8Array, ...where: [number, number, number]) => promisify(read)(file, bytes, ...where),
    stat: () => promisify(fstat)(file),
  } as ReadAt;
  closing.register(unpacked, file);
  return unpacked;
}
