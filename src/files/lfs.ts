/** Git LFS pointers: the few lines of text that a clone without Git LFS has in place of each large file. */
import { badInput } from "../tensor/error.ts";
import { printable } from "../tensor/printable.ts";

/** A pointer is shorter than this (git-lfs docs/spec.md). */
export const lfsPointerLimit = 1024;

/** The first line, as Git LFS writes it, and as it did when it was called hawser and before. */
const firstLine = /^version https?:\/\/(git-lfs\.github\.com|hawser\.github\.com|git-media\.io)\//;

/**
 * Throws `bad-input` when these bytes, the first of a file or all of it, are those of a Git LFS pointer. For every reader of files that
 * people keep in repositories: what it would say of a pointer otherwise is true and no help.
 */
export function refuseLfsPointer(head: Uint8Array, path: string): void {
  if (head[0] !== 0x76) return; // v
  const text = Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, lfsPointerLimit)).toString("latin1");
  if (!firstLine.test(text)) return;
  const size = /^size (\d{1,15})$/m.exec(text)?.[1];
  const instead = size === undefined ? "" : ` in place of ${Number(size).toLocaleString("en-US")} bytes`;
  throw badInput(`${printable(path, 1000)} is a Git LFS pointer${instead}: run git lfs pull in its repository`);
}
