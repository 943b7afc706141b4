/** The values of a Parquet page. Encodings: PLAIN and dictionaries, which is what Hugging Face, Arrow and DuckDB write by default. */

export type Value = Uint8Array | number | undefined;

/** Called with what is wrong; throws. */
export type Fail = (reason: string) => never;

/** The bytes of a page, read from `at` on. */
export interface Input {
  readonly bytes: Uint8Array;
  at: number;
  readonly fail: Fail;
}

/** The next `length` bytes. */
export function part(input: Input, length: number): Uint8Array {
  if (!(length >= 0 && length <= input.bytes.length - input.at))
    input.fail(`${length} bytes where ${input.bytes.length - input.at} are left`);
  input.at += length;
  return input.bytes.subarray(input.at - length, input.at);
}

export function uint32(input: Input): number {
  const [a, b, c, d] = part(input, 4);
  return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
}

function varint(input: Input): number {
  let value = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    const [byte] = part(input, 1);
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return value;
  }
  return input.fail("a number without end");
}

/** `count` integers of `width` bits: runs of one value, and groups of eight packed from the lowest bit. */
export function runs(input: Input, width: number, count: number): Uint32Array {
  if (width > 32) input.fail(`integers of ${width} bits`);
  const out = new Uint32Array(count);
  for (let done = 0; done < count; ) {
    const header = varint(input);
    const length = Math.floor(header / 2);
    if (header % 2 === 0) {
      const value = part(input, Math.ceil(width / 8)).reduceRight((sum, byte) => sum * 256 + byte, 0);
      const end = Math.min(count, done + length);
      out.fill(value, done, end);
      done = end;
      continue;
    }
    const some = Math.min(8 * length, count - done);
    const packed = part(input, Math.min(length * width, input.bytes.length - input.at)); // the last group may be cut short
    if (packed.length * 8 < some * width) input.fail("packed integers that end too early");
    for (let i = 0, bit = 0; i < some; i++) {
      let value = 0;
      for (let b = 0; b < width; b++, bit++) value += ((packed[bit >> 3] >> (bit & 7)) & 1) * 2 ** b;
      out[done++] = value;
    }
  }
  return out;
}

/** The next `count` values, in PLAIN or as places in a dictionary. */
export function decode(
  input: Input,
  type: string,
  encoding: string,
  count: number,
  dictionary?: readonly Value[],
): Value[] {
  if (encoding === "PLAIN_DICTIONARY" || encoding === "RLE_DICTIONARY") {
    if (count === 0) return [];
    const [width] = part(input, 1);
    return Array.from(runs(input, width, count), (index) => {
      if (dictionary === undefined || index >= dictionary.length) input.fail(`a dictionary without entry ${index}`);
      return dictionary![index];
    });
  }
  if (encoding !== "PLAIN")
    return input.fail(`encoding ${encoding} is not read; write the file with PLAIN or dictionary encoding`);
  const view = () => {
    const bytes = part(input, size);
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  };
  const size = { BYTE_ARRAY: 4, INT32: 4, FLOAT: 4, INT64: 8, DOUBLE: 8 }[type] ?? input.fail(`values of type ${type}`);
  if (count * size > input.bytes.length) input.fail(`${count} values in ${input.bytes.length} bytes`);
  return Array.from({ length: count }, () => {
    if (type === "BYTE_ARRAY") return part(input, uint32(input));
    if (type === "FLOAT") return view().getFloat32(0, true);
    if (type === "DOUBLE") return view().getFloat64(0, true);
    return type === "INT32" ? view().getInt32(0, true) : Number(view().getBigInt64(0, true));
  });
}
