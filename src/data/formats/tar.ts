/** Where the files of a tar archive lie (POSIX ustar and pax, GNU long names). Nothing is unpacked and nothing but regular files is accepted. */
import { badInput } from "../../tensor/error.ts";
import type { ReadAt } from "./gunzip.ts";

export interface TarEntry {
  readonly name: string;
  /** Of its first byte in the archive. */
  readonly offset: number;
  readonly size: number;
}

interface Extended {
  name?: string;
  size?: number;
  /** Its contents begin with a map of its holes. */
  isSparse?: boolean;
}

const block = 512;
/** Of a pax header or a long name. */
const maxHeader = 65_536;
const maxEntries = 5_000_000;

/**
 * The regular files of an archive in order; folders are passed over. Only headers are read. Throws TbarError on a broken header, on an archive that was cut off, on links,
 * devices and names that lead out of the archive, and on more than five million entries.
 */
export async function* tarEntries(handle: ReadAt, path: string): AsyncGenerator<TarEntry> {
  const { size: end } = await handle.stat();
  const fail = (at: number, reason: string): never => {
    throw badInput(`${path}: ${reason} (header at byte ${at})`);
  };
  const readAt = async (at: number, length: number) => {
    const bytes = Buffer.alloc(length);
    const { bytesRead } = await handle.read(bytes, 0, length, at);
    return bytesRead === length ? bytes : fail(at, "the archive ends too early");
  };
  /** From a pax header or a GNU long name, for the entry that follows. */
  let next: Extended = {};
  let at = 0;
  for (let count = 0; at + block <= end; count++) {
    if (count >= maxEntries) fail(at, `more than ${maxEntries} entries`);
    const header = await readAt(at, block);
    if (header.every((byte) => byte === 0)) return; // the archive's end
    if (!checksumFits(header)) fail(at, count === 0 ? "it is no tar archive" : "the header's checksum is wrong");
    const type = String.fromCharCode(header[156]);
    const size =
      (isFile(type) ? next.size : undefined) ??
      number(header.subarray(124, 136)) ??
      fail(at, "a size that is no number");
    const offset = at + block;
    if (size > end - offset) fail(at, `an entry of ${size} bytes where ${end - offset} are left`);
    if (isFile(type)) {
      const name = next.name ?? nameOf(header);
      if (next.isSparse) fail(at, `${JSON.stringify(name.slice(0, 80))} is stored with holes, which is not read`);
      if (escapes(name)) fail(at, `the name ${JSON.stringify(name.slice(0, 80))} leads out of the archive`);
      yield { name: name.replace(/^(\.\/)+/, ""), offset, size };
      next = {};
    } else if (type === "x" || type === "L") {
      if (size > maxHeader) fail(at, `an extended header of ${size} bytes`);
      const body = await readAt(offset, size);
      next = type === "L" ? { ...next, name: text(body) } : { ...next, ...pax(body) };
    } else if (type === "5") {
      next = {};
    } else if (type !== "g") {
      const name = JSON.stringify((next.name ?? nameOf(header)).slice(0, 80));
      fail(at, `${name} is ${kinds.get(type) ?? `of type ${JSON.stringify(type)}`}; only regular files are read`);
    }
    at = offset + Math.ceil(size / block) * block;
  }
  fail(at, "it lacks the zeros that end an archive, so it was cut off; fetch it again");
}

const kinds = new Map([
  ["1", "a hard link"],
  ["2", "a symbolic link"],
  ["3", "a device"],
  ["4", "a device"],
  ["6", "a pipe"],
  ["K", "a link with a long target"],
]);

const isFile = (type: string) => type === "0" || type === "\0" || type === "7";

const escapes = (name: string) => name === "" || /^([/\\]|[a-z]:)/i.test(name) || /(^|[/\\])\.\.([/\\]|$)/.test(name);

function nameOf(header: Buffer): string {
  const prefix = header.toString("latin1", 257, 262) === "ustar" ? text(header.subarray(345, 500)) : "";
  const name = text(header.subarray(0, 100));
  return prefix === "" ? name : `${prefix}/${name}`;
}

function text(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString("utf8", 0, end < 0 ? bytes.length : end);
}

/** Octal digits, or (GNU, for 8 GiB and more) a big-endian number behind the byte 0x80. */
function number(field: Buffer): number | undefined {
  if (field[0] === 0x80) {
    const value = field.readUIntBE(field.length - 6, 6);
    return field.subarray(1, -6).every((byte) => byte === 0) ? value : undefined;
  }
  const digits = text(field).trim();
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : undefined;
}

/** The sum of the header's bytes, its own field taken as blanks. */
function checksumFits(header: Buffer): boolean {
  let sum = 8 * 32;
  for (let i = 0; i < block; i++) if (i < 148 || i >= 156) sum += header[i];
  return number(header.subarray(148, 156)) === sum;
}

/** Records "LENGTH key=value\n"; of the keys only path, size and GNU's of sparse files matter. */
function pax(body: Buffer): Extended {
  const found: Extended = {};
  for (const record of body.toString("utf8").split("\n")) {
    const [, key, value] = /^\d{1,6} ([^=]+)=(.*)$/.exec(record) ?? [];
    if (key === "path") found.name = value;
    if (key?.startsWith("GNU.sparse.")) found.isSparse = true;
    if (key === "size" && /^\d{1,15}$/.test(value)) found.size = Number(value);
  }
  return found;
}
