/** Where a store's texts lie: in a folder that machines may share, or in a bucket (bucket.ts). */
import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { writeFileAtomic } from "../files/atomic.ts";
import { isFile, readSmallFile } from "../files/files.ts";
import { makeFolder } from "../files/folder.ts";

export interface Documents {
  /** As the user calls it. */
  readonly name: string;
  /** On this machine: what others do not need, such as models on the way, lies there. */
  readonly folder: string;
  /** The text's bytes, `mostBytes` at most; undefined where there is none. */
  read(path: string): Promise<Uint8Array | undefined>;
  /** Whole or not at all, in place of what was there. */
  write(path: string, text: string): Promise<void>;
  remove(path: string): Promise<void>;
}

/** A clean result with its trials takes a hundredth of it. */
export const mostBytes = 64 * 2 ** 20;

/** It need not be there yet. */
export function folderDocuments(folder: string): Documents {
  return {
    name: folder,
    folder,
    async read(path) {
      const file = join(folder, path);
      return (await isFile(file)) ? readSmallFile(file, mostBytes) : undefined;
    },
    async write(path, text) {
      const file = join(folder, path);
      await makeFolder(dirname(file));
      await writeFileAtomic(file, text, { force: true });
    },
    remove: (path) => rm(join(folder, path), { force: true }),
  };
}
