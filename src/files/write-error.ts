/** What the system says of a file or folder that cannot be written, in words. */
import { badInput, TbarError } from "../tensor/error.ts";

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

/** What to throw in place of an error that came up while `path` was written under the name `temporary`. */
export function writeError(path: string, temporary: string, error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  if (error instanceof TbarError) {
    return new TbarError(error.code, error.message.replaceAll(temporary, path), { cause: error });
  }
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined || !/^E[A-Z]+$/.test(code)) return error; // a fault of ours, not of the system
  return badInput(`cannot write ${path}: ${REASONS[code] ?? error.message}`, error);
}
