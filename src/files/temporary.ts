/**
 * Names for what is not finished yet, beside the output it will be: they say whose they are, so that a later run may clear away (or go
 * on with) what a killed one left, and nothing else.
 */
import { createHash, randomBytes } from "node:crypto";
import { lstat, readdir } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";

/** tmp: an output being written; old: what an output takes the place of; part: a download. */
export type TemporaryKind = "tmp" | "old" | "part";

/** Names that this thread has in use, and those it has no more. */
const [inUse, left] = [new Set<string>(), new Set<string>()];

/** NAME.KIND-PID-RANDOM, the last with a checksum over the rest and this machine's name: no other file is called so by chance. */
export function temporaryName(path: string, kind: TemporaryKind): string {
  const random = randomBytes(3).toString("hex");
  const name = `${basename(path)}.${kind}-${process.pid}-${random}`;
  const temporary = join(dirname(path), name + checksum(name));
  inUse.add(temporary);
  return temporary;
}

/** The name is no longer in use: whoever finds the file may take it. */
export function letGo(temporary: string): void {
  inUse.delete(temporary);
  left.add(temporary);
}

const checksum = (name: string) => createHash("sha256").update(`tbar ${hostname()} ${name}`).digest("hex").slice(0, 8);

/** What processes that are no more left beside `path`: full paths of temporary names that are ours beyond doubt. */
export async function abandoned(path: string, kind: TemporaryKind): Promise<string[]> {
  return abandonedIn(dirname(path), kind, basename(path));
}

/** The same for all outputs of a folder, or those of one name. */
export async function abandonedIn(folder: string, kind: TemporaryKind, of?: string): Promise<string[]> {
  const found: string[] = [];
  for (const name of (await readdir(folder).catch(() => [])).sort()) {
    const [, output, made, pid, random, check] =
      /^(.+)\.((?:tmp|old|part)-(\d{1,10})-([0-9a-f]{6}))([0-9a-f]{8})$/s.exec(name) ?? [];
    if (output === undefined || !made.startsWith(kind) || (of !== undefined && output !== of)) continue;
    if (check !== checksum(`${output}.${kind}-${pid}-${random}`)) continue;
    if (!(await isInUse(join(folder, name), Number(pid)))) found.push(join(folder, name));
  }
  return found;
}

/** In containers a later process often has the number of the one that was killed: what is older than we are is not ours. */
async function isInUse(temporary: string, pid: number): Promise<boolean> {
  if (inUse.has(temporary) || left.has(temporary)) return inUse.has(temporary);
  if (pid !== process.pid) return isAlive(pid);
  const { ctimeMs } = await lstat(temporary).catch(() => ({ ctimeMs: Number.POSITIVE_INFINITY }));
  return ctimeMs > Date.now() - 1000 * process.uptime();
}

/** Is there a process of this number on this machine? */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"; // somebody else's
  }
}
