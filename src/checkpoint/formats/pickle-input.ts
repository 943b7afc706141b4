/** The bytes of a pickle, and the arguments of its opcodes in them. */
import { utf8 } from "../../tensor/printable.ts";

const MAX_INTEGER = 256;
const MAX_LINE = 65_536;

/** Where a pickle's bytes come from. */
export interface PickleBytes {
  readonly length: number;
  /** Those from `from` to before `to`, which are there. */
  subarray(from: number, to: number): Uint8Array;
  /** The place of the first such byte from `from` on, or -1. */
  indexOf(byte: number, from: number): number;
}

/** Bounded reads of an opcode's argument. */
export type PickleInput = ReturnType<typeof pickleInput>;

/** Reads from `start` on. `fail` must throw; `lenient` as in `parsePickle`. */
export function pickleInput(bytes: PickleBytes, start: number, fail: (reason: string) => never, lenient: boolean) {
  let at = start;
  const take = (length: number): number => {
    if (!(length <= bytes.length - at)) fail(`it wants ${length} bytes at ${at} and ${bytes.length - at} are left`);
    at += length;
    return at - length;
  };
  const fixed = (size: 1 | 2 | 4 | 8): Buffer => {
    const from = take(size);
    return Buffer.from(bytes.subarray(from, from + size));
  };
  const uint = (size: 1 | 2 | 4 | 8): number =>
    size === 8 ? Number(fixed(8).readBigUInt64LE()) : fixed(size).readUIntLE(0, size);
  /** As much as is kept of so many bytes. */
  const kept = (length: number) => (lenient ? Math.min(length, MAX_LINE) : length);
  const counted = (size: 1 | 4 | 8): Uint8Array => {
    const length = uint(size);
    const from = take(length);
    return bytes.subarray(from, from + kept(length));
  };
  const text = (raw: Uint8Array): string =>
    lenient ? loose.decode(raw) : (utf8(raw) ?? fail(`a string before ${at} is not UTF-8`));
  return {
    fail,
    at: () => at,
    uint,
    int32: () => fixed(4).readInt32LE(),
    float64: () => fixed(8).readDoubleBE(),
    counted,
    text: (size: 1 | 4 | 8) => text(counted(size)),
    latin1: (size: 1) => Buffer.from(counted(size)).toString("latin1"),
    /** Up to the line break, as protocol 0 writes its arguments. */
    line() {
      const end = bytes.indexOf(10, at);
      if (end < 0 || kept(end - at) > MAX_LINE) fail(`the line at ${at} does not end`);
      const line = text(bytes.subarray(at, at + kept(end - at)));
      at = end + 1;
      return line;
    },
    /** Little-endian two's complement of any length. */
    long(size: 1 | 4): number | bigint {
      const raw = counted(size);
      if (lenient) return 0;
      if (raw.length > MAX_INTEGER) fail(`it has an integer of ${raw.length} bytes`);
      const hex = Buffer.from(raw).reverse().toString("hex");
      return integer(hex === "" ? 0n : BigInt.asIntN(8 * raw.length, BigInt(`0x${hex}`)));
    },
    /** A decimal, Python 2's `L` at its end allowed. */
    decimal(): number | bigint {
      const line = this.line().replace(/L$/, "");
      if (lenient) return Number.parseInt(line, 10) || 0;
      if (!/^[+-]?\d{1,600}$/.test(line)) fail(`${JSON.stringify(line.slice(0, 40))} before ${at} is no integer`);
      return integer(BigInt(line.replace("+", "")));
    },
  };
}

const loose = new TextDecoder("utf-8", { ignoreBOM: true });

const integer = (value: bigint): number | bigint => (BigInt.asIntN(53, value) === value ? Number(value) : value);
