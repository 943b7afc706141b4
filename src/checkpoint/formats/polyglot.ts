/**
 * One file, several meanings. Weights in a sound file of one format may at once be a pickle, an archive or a compressed stream to a program
 * that looks from the other end or asks for another format first: there they would run what nobody saw here.
 */
import { readSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { Readable } from "node:stream";
import { createGunzip, createInflate } from "node:zlib";
import { readBytes } from "../../files/files.ts";
import { badInput } from "../../tensor/error.ts";
import { listed } from "../../tensor/printable.ts";
import { quote } from "./header-json.ts";
import { parsePickle } from "./pickle.ts";
import type { PickleBytes } from "./pickle-input.ts";
import { nothingSeen } from "./pickle-values.ts";
import { isKnownName } from "./torch-names.ts";

/** Opcodes after which it is enough: no sound file of weights is a pickle by accident for so long. */
const MAX_OPCODES = 100_000;

/**
 * What else a file of weights can be read as, a sentence each; nothing for every sound one. `is` says as what we read it: an archive may be
 * an archive.
 */
export async function otherReadings(file: FileHandle, path: string, is: "archive" | "other"): Promise<string[]> {
  const { size } = await file.stat();
  const head = await readBytes(file, 0, Math.min(size, 2 ** 16), path);
  return [
    pickleReading(pagesOf(file, size), "it"),
    await compressedReading(head),
    isTarHeader(head) ? "it can also be read as a tar archive" : undefined,
    is === "other" && (await endsAsZip(file, size, path))
      ? "it can also be read as a zip archive, from its end"
      : undefined,
  ].filter((remark) => remark !== undefined);
}

/** Throws `bad-input` where there is another reading. */
export async function refusePolyglot(file: FileHandle, path: string, is: "archive" | "other"): Promise<void> {
  const [remark] = await otherReadings(file, path, is);
  if (remark !== undefined) {
    throw badInput(
      `${path} is refused: ${remark}, which no program that writes weights does (nothing was run). See: tbar inspect`,
    );
  }
}

class Ended extends Error {}

/** What bytes would import if they were unpickled: Python runs a pickle as it goes, however it ends. */
function pickleReading(bytes: PickleBytes, what: string): string | undefined {
  const seen = nothingSeen();
  let opcodes = 0;
  try {
    const fail = (reason: string): never => {
      throw new Ended(reason);
    };
    parsePickle(bytes, fail, { seen, most: MAX_OPCODES, lenient: true });
  } catch (error) {
    if (!(error instanceof Ended)) throw error;
  }
  for (const count of seen.opcodes.values()) opcodes += count;
  const names = [...seen.names].filter((name) => isImportable(name) && !isKnownName(name));
  if (names.length > 0) {
    const some = names.slice(0, 4).map((name) => quote(name.replace(" ", ".")));
    return `${what} can also be read as a pickle, which would import ${listed(some, 3)}`;
  }
  return opcodes >= MAX_OPCODES
    ? `${what} can also be read as a pickle of more than ${MAX_OPCODES} opcodes`
    : undefined;
}

/** Could Python import it? What accident spells has other characters. */
const isImportable = (name: string): boolean =>
  /^[\p{L}_][\p{L}\p{N}_.]* [\p{L}_][\p{L}\p{N}_.]*$/u.test(name) || name.startsWith("copyreg extension");

/** A file's bytes, a page at a time. */
function pagesOf({ fd }: FileHandle, length: number): PickleBytes {
  const page = new Uint8Array(2 ** 16);
  let [start, end] = [0, 0];
  const load = (from: number) => {
    start = from;
    end = from + readSync(fd, page, 0, Math.min(page.length, length - from), from);
  };
  return {
    length,
    subarray(from, to) {
      if (from >= start && to <= end) return page.slice(from - start, to - start);
      if (to - from <= page.length) {
        load(from);
        return page.slice(0, to - from);
      }
      const all = new Uint8Array(to - from);
      readSync(fd, all, 0, all.length, from);
      return all;
    },
    indexOf(byte, from) {
      for (let at = from; at < length; at = end) {
        if (at < start || at >= end) load(at);
        const found = page.subarray(0, end - start).indexOf(byte, at - start);
        if (found >= 0) return start + found;
        if (end <= at) return -1;
      }
      return -1;
    },
  };
}

/** joblib and others unpack before they unpickle. The magic numbers of bzip2, xz and zstd are no beginning of a file that we read. */
async function compressedReading(head: Uint8Array): Promise<string | undefined> {
  const [a, b] = head;
  const isGzip = a === 0x1f && b === 0x8b;
  const isZlib = (a & 0x8f) === 8 && ((a << 8) | b) % 31 === 0;
  if (!isGzip && !isZlib) return undefined;
  const unpacked: Buffer[] = [];
  let length = 0;
  const stream = Readable.from([head]).pipe(isGzip ? createGunzip() : createInflate());
  try {
    for await (const chunk of stream) {
      unpacked.push(chunk);
      length += chunk.length;
      if (length > 2 ** 20) break;
    }
  } catch {
    // what came before the fault was unpacked all the same
  }
  const kind = isGzip ? "gzip" : "zlib";
  // accident does not unpack to so much: distances and codes fail before
  if (length >= 4096) return `it can also be unpacked, as a ${kind} stream`;
  return pickleReading(Buffer.concat(unpacked), `it, unpacked as a ${kind} stream,`);
}

/** A header of tar: eight octal digits that are the sum of its 512 bytes, these taken for spaces. PyTorch read such files before 0.4. */
function isTarHeader(head: Uint8Array): boolean {
  if (head.length < 512) return false;
  const digits = /^ *([0-7]{1,8})[ \0]*$/.exec(Buffer.from(head.subarray(148, 156)).toString("latin1"))?.[1];
  if (digits === undefined) return false;
  const sum = (value: (byte: number) => number) =>
    head.subarray(0, 512).reduce((sum, byte, i) => sum + (i >= 148 && i < 156 ? 32 : value(byte)), 0);
  const stated = Number.parseInt(digits, 8);
  return stated === sum((byte) => byte) || stated === sum((byte) => (byte << 24) >> 24); // some sum signed bytes
}

/** Python finds an archive by the record at its end, up to 64 KiB of comment behind it, whatever stands before. */
async function endsAsZip(file: FileHandle, size: number, path: string): Promise<boolean> {
  const tail = Buffer.from(await readBytes(file, Math.max(0, size - 22 - 2 ** 16), Math.min(size, 22 + 2 ** 16), path));
  const before = size - tail.length;
  const signature = async (at: number) =>
    at < 0 ? 0 : new DataView((await readBytes(file, at, Math.min(4, size - at), path)).buffer).getUint32(0, true);
  for (
    let at = tail.lastIndexOf("PK\x05\x06", undefined, "latin1");
    at >= 0;
    at = at > 0 ? tail.lastIndexOf("PK\x05\x06", at - 1, "latin1") : -1
  ) {
    if (at + 22 > tail.length) continue;
    const directory = tail.readUInt32LE(at + 12);
    const isZip64 = at >= 20 && tail.readUInt32LE(at - 20) === 0x07064b50;
    if (isZip64 || (directory >= 46 && (await signature(before + at - directory)) === 0x02014b50)) return true;
  }
  return false;
}
