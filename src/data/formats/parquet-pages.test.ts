import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { badInput } from "../../tensor/error.ts";
import { type Column, pagesOf, readDictionary, readPage } from "./parquet-pages.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-pages-"));
});
afterAll(() => rm(folder, { recursive: true }));

const fail = (reason: string): never => {
  throw badInput(reason);
};

/** Of a non-negative integer in thrift's compact form. */
function zigzag(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = 2 * value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) + 128);
  }
}
const codes = { PLAIN: 0, RLE_DICTIONARY: 8, DELTA_BINARY_PACKED: 5 };
interface Claim {
  readonly values?: number;
  readonly unpacked?: number;
  readonly stored?: number;
  readonly encoding?: keyof typeof codes;
  readonly dictionary?: boolean;
}

/** A page (version 1) whose header claims what it is told to, else the truth about one value. */
function page(body: readonly number[], claim: Claim = {}): number[] {
  const { values = 1, unpacked = body.length, stored = body.length, encoding = "PLAIN", dictionary } = claim;
  const sizes = [0x15, dictionary ? 4 : 0, 0x15, ...zigzag(unpacked), 0x15, ...zigzag(stored)];
  const about = [0x15, ...zigzag(values), 0x15, ...zigzag(codes[encoding])];
  const levels = dictionary ? [] : [0x15, 6, 0x15, 6];
  return [...sizes, dictionary ? 0x4c : 0x2c, ...about, ...levels, 0, 0, ...body];
}

/** The values of the pages as a required column of byte arrays, or as `column` says. */
async function valuesOf(bytes: readonly number[], column: Partial<Column> = {}) {
  const path = join(folder, "pages");
  await writeFile(path, Uint8Array.from(bytes));
  const handle = await open(path);
  try {
    const whole = { type: "BYTE_ARRAY", codec: "UNCOMPRESSED", maxDefinition: 0, maxRepetition: 0, start: 0, end: bytes.length, values: 1, ...column }; // biome-ignore format: one line
    const { dictionary, data } = await pagesOf(handle, whole, fail);
    const entries = dictionary && (await readDictionary(handle, whole, dictionary, fail));
    const found = [];
    for (const one of data) found.push(...(await readPage(handle, whole, one, entries, fail)).values);
    return found.map((value) => (value instanceof Uint8Array ? [...value] : value));
  } finally {
    await handle.close();
  }
}

describe("pages of Parquet", () => {
  it("plain bytes, integers, a dictionary; levels of 0 are nulls", async () => {
    expect(await valuesOf(page([2, 0, 0, 0, 7, 8]))).toEqual([[7, 8]]);
    expect(await valuesOf(page([1, 0, 0, 0, 255, 255, 255, 255], { values: 2 }), { type: "INT32", values: 2 })).toEqual(
      [1, -1],
    );
    const nulls = [2, 0, 0, 0, 3, 0b0101, 1, 0, 0, 0, 9, 1, 0, 0, 0, 8]; // one group of eight levels: 1 0 1
    expect(await valuesOf(page(nulls, { values: 3 }), { maxDefinition: 1, values: 3 })).toEqual([[9], undefined, [8]]);
    const words = page([1, 0, 0, 0, 5, 1, 0, 0, 0, 6], { values: 2, dictionary: true });
    const indices = page([1, 6, 1], { values: 3, encoding: "RLE_DICTIONARY" }); // a run of three
    expect(await valuesOf([...words, ...indices], { values: 3 })).toEqual([[6], [6], [6]]);
  });

  it.each<[string, number[], Partial<Column>?]>([
    ["claims 1000000000 values", page([0], { values: 1e9 })],
    ["claims 2 values", page([0], { values: 2 })],
    ["claims 65537 values", page(Array(4 * 65_537).fill(0), { values: 65_537, dictionary: true })], // 16,000,000 took 1.8 GiB
    ["5 pages for 4 values", Array.from({ length: 9 }, () => page([], { values: 0 })).flat(), { values: 4 }],
    ["claims 1073741823 values", page([0], { values: 2 ** 30 - 1 }), { values: 2 ** 31 }],
    ["claims 1073741823 bytes in 1", page([0], { unpacked: 2 ** 30 - 1 }), { codec: "ZSTD" }],
    ["claims 16777216 bytes in 1", page([0], { unpacked: 2 ** 24 }), { codec: "ZSTD", isText: true }],
    ["a page of 1000 bytes at 0 does not fit", page([0], { stored: 1000 })],
    ["1 of 2 values are missing", page([0, 0, 0, 0]), { values: 2 }],
    ["no page header at 0", [0xff, 0xff, 0xff, 0xff]],
    ["4294967295 bytes where 0 are left", page([255, 255, 255, 255])],
    ["5 values in 4 bytes", page([0, 0, 0, 0], { values: 5 }), { values: 5 }],
    ["2147483647 bytes where 1 are left", page([255, 255, 255, 127, 0]), { maxDefinition: 1 }],
    ["a number without end", page([6, 0, 0, 0, 128, 128, 128, 128, 128, 128]), { maxDefinition: 1 }],
    ["packed integers that end too early", page([1, 0, 0, 0, 127]), { maxDefinition: 1 }],
    ["1 bytes where 0 are left", page([1, 0, 0, 0, 2]), { maxDefinition: 1 }],
    ["a dictionary without entry 3", page([2, 2, 3], { encoding: "RLE_DICTIONARY" })],
    ["integers of 40 bits", page([40, 2, 3], { encoding: "RLE_DICTIONARY" })],
    ["encoding DELTA_BINARY_PACKED is not read", page([0], { encoding: "DELTA_BINARY_PACKED" })],
    ["compression LZO is not read", page([0]), { codec: "LZO" }],
    ["compression constructor is not read", page([0]), { codec: "constructor" }],
    ["values of type INT96", page([0]), { type: "INT96" }],
  ])("refuses: %s", async (message, bytes, column) => {
    await expect(valuesOf(bytes, column)).rejects.toThrow(message);
  });

  it("a run longer than its page gives as many values as there are", async () => {
    const endless = [5, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 0x0f]; // header 2^32 - 2: a run of 2^31 - 1; its value is cut off
    await expect(valuesOf(page([...endless, 0]), { maxDefinition: 1 })).rejects.toThrow("where 0 are left");
    expect(await valuesOf(page([6, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 0x0f, 0]), { maxDefinition: 1 })).toEqual([
      undefined,
    ]);
  });
});
