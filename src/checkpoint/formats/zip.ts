/**
 * Just the zip that torch.save and torch.jit.save write (PKWARE APPNOTE 4.3): no comment, no encryption, no spanning; names
 * that stay inside; no two entries on the same bytes. Nothing is unpacked: what is stored is read in place.
 */
import type { FileHandle } from "node:fs/promises";
import { readBytes } from "../../files/files.ts";
import { badInput } from "../../tensor/error.ts";
import { utf8 } from "../../tensor/printable.ts";
import { quote } from "./header-json.ts";

export interface ZipEntry {
  readonly name: string;
  /** Bytes in the archive. */
  readonly size: number;
  /** False for a compressed entry, which cannot be read in place. */
  readonly stored: boolean;
  readonly headerOffset: number;
  /** Where the next entry, or the directory, begins. */
  readonly limit: number;
}

const MAX_ENTRIES = 20_000;
const MAX_DIRECTORY = 4 * 2 ** 20;
/** Data descriptor (3) and UTF-8 names (11), and how hard deflate tried (1, 2). */
const KNOWN_FLAGS = 0x080e;
const END = 22;
const END64 = 56;
const LOCATOR64 = 20;

export type Fail = (reason: string) => never;

/** The entries by name. Throws `bad-input` when the file is no such zip; `path` is named. */
export async function readZipDirectory(file: FileHandle, path: string): Promise<ReadonlyMap<string, ZipEntry>> {
  const fail = failing(path);
  const { size } = await file.stat();
  const directory = await findDirectory(file, size, path);
  const { start, length, count } = directory;
  if (count > MAX_ENTRIES) fail(`it has ${count} entries; at most ${MAX_ENTRIES} are read`);
  if (length > MAX_DIRECTORY) fail(`its directory has ${length} bytes; at most ${MAX_DIRECTORY} are read`);
  if (start + length !== directory.end) fail("its directory does not end where the end record begins");
  const entries = readEntries(await readBytes(file, start, length, path), count, fail);
  return withLimits(entries, start, fail);
}

/** Where an entry's bytes begin: behind its local header, which must say what the directory says. */
export async function zipDataOffset(file: FileHandle, entry: ZipEntry, path: string): Promise<number> {
  const fail = failing(path);
  const { headerOffset, name, size, limit } = entry;
  const bytes = await readBytes(file, headerOffset, 30 + Buffer.byteLength(name), path);
  const header = viewOf(bytes);
  if (header.getUint32(0, true) !== 0x04034b50) fail(`there is no entry where its directory says ${quote(name)} is`);
  const stored = header.getUint16(8, true) === 0;
  if (stored !== entry.stored || header.getUint16(26, true) !== bytes.length - 30 || textOf(bytes, 30, fail) !== name) {
    fail(`its directory and its entry ${quote(name)} disagree`);
  }
  const data = headerOffset + bytes.length + header.getUint16(28, true);
  if (data + size > limit) fail(`its entry ${quote(name)} reaches into what follows it`);
  return data;
}

/** What may stand behind an entry's bytes: its sizes once more (a data descriptor of zip64). */
const DESCRIPTOR = 24;

/**
 * Throws `bad-input` where bytes before, between or behind the entries belong to none: who reads an archive from its beginning, or by another
 * directory, would find other entries there.
 */
export async function refuseHoles(file: FileHandle, entries: Iterable<ZipEntry>, path: string): Promise<void> {
  const fail = failing(path);
  let reached = 0;
  for (const { name, size, headerOffset, limit } of [...entries].sort((a, b) => a.headerOffset - b.headerOffset)) {
    if (headerOffset !== reached)
      fail(`${headerOffset - reached} bytes before its entry ${quote(name)} belong to none`);
    const lengths = viewOf(await readBytes(file, headerOffset + 26, 4, path));
    const end = headerOffset + 30 + lengths.getUint16(0, true) + lengths.getUint16(2, true) + size;
    if (limit - end > DESCRIPTOR) fail(`${limit - end} bytes behind its entry ${quote(name)} belong to none`);
    reached = limit;
  }
}

/** The directory's place and the number of its entries, from the records at the end of the file. */
async function findDirectory(file: FileHandle, size: number, path: string) {
  const fail = failing(path);
  if (size < END) fail(`it has ${size} bytes`);
  const tail = Math.min(size, END + LOCATOR64 + END64);
  const view = viewOf(await readBytes(file, size - tail, tail, path));
  const at = tail - END;
  if (view.getUint32(at, true) !== 0x06054b50 || view.getUint16(at + 20, true) !== 0) {
    fail("it does not end as a zip without a comment does: it was cut short, or something was appended");
  }
  const short = {
    disks: view.getUint32(at + 4, true),
    here: view.getUint16(at + 8, true),
    count: view.getUint16(at + 10, true),
    length: view.getUint32(at + 12, true),
    start: view.getUint32(at + 16, true),
    end: size - END,
  };
  if (short.disks !== 0 || short.here !== short.count) fail("it is one of several volumes");
  const is64 = at >= LOCATOR64 + END64 && view.getUint32(at - LOCATOR64, true) === 0x07064b50;
  if (!is64) return short;
  const long = at - LOCATOR64 - END64;
  const end = size - tail + long;
  const number = (offset: number) => safeUint64(view, long + offset, fail);
  if (view.getUint32(long, true) !== 0x06064b50 || safeUint64(view, at - LOCATOR64 + 8, fail) !== end) {
    fail("its two end records do not belong together");
  }
  const found = { count: number(32), length: number(40), start: number(48), end };
  for (const key of ["count", "length", "start"] as const) {
    const unset = key === "count" ? 0xffff : 0xffffffff;
    if (short[key] !== unset && short[key] !== found[key]) fail(`its two end records disagree about the ${key}`);
  }
  return found;
}

type Found = Omit<ZipEntry, "limit">;

function readEntries(bytes: Uint8Array, count: number, fail: Fail): Map<string, Found> {
  const view = viewOf(bytes);
  const entries = new Map<string, Found>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > bytes.length || view.getUint32(at, true) !== 0x02014b50)
      fail(`its directory breaks off at entry ${i}`);
    const nameEnd = at + 46 + view.getUint16(at + 28, true);
    const extraEnd = nameEnd + view.getUint16(at + 30, true);
    const next = extraEnd + view.getUint16(at + 32, true);
    if (next > bytes.length) fail(`its directory breaks off at entry ${i}`);
    const name = textOf(bytes.subarray(0, nameEnd), at + 46, fail);
    checkName(name, fail);
    if (entries.has(name)) fail(`it has two entries ${quote(name)}`);
    if ((view.getUint16(at + 8, true) & ~KNOWN_FLAGS) !== 0) fail(`its entry ${quote(name)} is encrypted or patched`);
    const method = view.getUint16(at + 10, true);
    const [unpacked, size, headerOffset] = sizesOf(view, at, nameEnd, extraEnd, fail);
    if (method === 0 && unpacked !== size) fail(`its entry ${quote(name)} is stored, but with two sizes`);
    entries.set(name, { name, size, stored: method === 0, headerOffset });
    at = next;
  }
  if (at !== bytes.length) fail(`its directory has ${bytes.length - at} bytes too many`);
  return entries;
}

/** Size before and after compression and the header's offset; those of 32 set bits stand in the zip64 field (id 1). */
function sizesOf(view: DataView, at: number, extra: number, extraEnd: number, fail: Fail): [number, number, number] {
  const sizes = [24, 20, 42].map((offset) => view.getUint32(at + offset, true));
  if (!sizes.includes(0xffffffff)) return sizes as [number, number, number];
  while (extra + 4 <= extraEnd && view.getUint16(extra, true) !== 1) extra += 4 + view.getUint16(extra + 2, true);
  let field = extra + 4;
  const fieldEnd = Math.min(extraEnd, field <= extraEnd ? field + view.getUint16(extra + 2, true) : 0);
  return sizes.map((size) => {
    if (size !== 0xffffffff) return size;
    if (field + 8 > fieldEnd) fail("an entry of it lacks its 64-bit sizes");
    field += 8;
    return safeUint64(view, field - 8, fail);
  }) as [number, number, number];
}

/** No absolute path, no way up, nothing that some system reads as another name. */
function checkName(name: string, fail: Fail): void {
  const printable = /^[\x20-\x7e]{1,512}$/.test(name) && !/[\\:]/.test(name);
  const inside = name.split("/").every((part) => part !== "" && part !== "." && part !== "..");
  if (!printable || !inside) fail(`its entry ${quote(name)} has a name that torch does not write`);
}

/** In order of offsets each entry ends, at the earliest, before the next begins, and the last before the directory. */
function withLimits(entries: ReadonlyMap<string, Found>, directory: number, fail: Fail): Map<string, ZipEntry> {
  const ordered = [...entries.values()].sort((a, b) => a.headerOffset - b.headerOffset);
  const limited = ordered.map((entry, i) => {
    const limit = ordered[i + 1]?.headerOffset ?? directory;
    if (entry.headerOffset + 30 + entry.name.length + entry.size > limit) {
      fail(`its entry ${quote(entry.name)} overlaps what follows it`);
    }
    return [entry.name, { ...entry, limit }] as const;
  });
  return new Map(limited);
}

/** What throws that a PyTorch file is unsound, and why. */
export function failing(path: string): Fail {
  return (reason) => {
    throw badInput(`${path} is not a sound PyTorch file: ${reason}`);
  };
}

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, byteLength);

const textOf = (bytes: Uint8Array, start: number, fail: Fail): string =>
  utf8(bytes.subarray(start)) ?? fail("a name in it is not UTF-8");

function safeUint64(view: DataView, at: number, fail: Fail): number {
  const value = view.getBigUint64(at, true);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) fail(`a size in it is ${value}`);
  return Number(value);
}
