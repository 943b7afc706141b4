import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { openParquet } from "./parquet.ts";
import { readDictionary } from "./parquet-pages.ts";
import { thriftLength } from "./thrift.ts";

it("the length of a struct: numbers, texts, lists of booleans and structs, field numbers of their own", () => {
  const bytes = [
    0x15,
    0x80,
    0x01,
    0x18,
    2,
    65,
    66,
    0x19,
    0x21,
    1,
    2,
    0x19,
    0x1c,
    0x15,
    2,
    0,
    0x07,
    40,
    ...Array(8).fill(1),
    0x11,
    0,
    99,
  ];
  expect(thriftLength(Uint8Array.from(bytes))).toBe(bytes.length - 1);
});

it.each<[string, number[]]>([
  ["ends in the middle", [0x15]],
  ["a list of 268435455 in ", [0x19, 0xf5, 0xff, 0xff, 0xff, 0x7f, 0]],
  ["a list of 12 in ", [0x19, 0xcc, 0, 0]],
  ["a string of 127 bytes", [0x18, 127, 0]],
  ["a number of more than ten bytes", [0x16, ...Array(12).fill(0xff)]],
  ["nested more than 32 deep", Array(64).fill(0x1c)],
  ["nested more than 32 deep", Array(64).fill(0x19)],
  ["a value of type 13", [0x1d, 0]],
])("refuses: %s", (message, bytes) => expect(() => thriftLength(Uint8Array.from(bytes))).toThrow(message));

it("more values than a footer has", () => {
  const empty = new Uint8Array(2_200_010); // structs without fields
  empty.set([0x19, 0xfc, 0x80, 0x97, 0x80, 0x01]);
  expect(() => thriftLength(empty)).toThrow("more than 2000000 values");
});

it("a footer that asks for more than it has is refused, in time and memory", async () => {
  const folder = await mkdtemp(join(tmpdir(), "tbar-thrift-"));
  const file = join(folder, "a.parquet");
  for (const footer of [
    Buffer.alloc(400_000, 0x1c),
    Buffer.concat([Buffer.from([0x16]), Buffer.alloc(400_000, 0xff)]),
  ]) {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(footer.length);
    await writeFile(file, Buffer.concat([Buffer.from("PAR1"), footer, length, Buffer.from("PAR1")]));
    await expect(openParquet([file])).rejects.toThrow(`${file} is damaged: `);
  }
  await rm(folder, { recursive: true });
});

it.each(["GZIP", "BROTLI", "ZSTD"])(
  "%s: a page that unpacks to more than it says takes no more than it says",
  async (codec) => {
    const { brotliCompressSync } = await import("node:zlib");
    const zeros = Buffer.alloc(2 ** 24);
    const block = (last: number) => { const head = (131072 << 3) | 2 | last; return [head & 255, (head >> 8) & 255, head >> 16, 0]; }; // biome-ignore format: one line
    const zstd = Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0, 56, ...Array.from({ length: 127 }, () => block(0)).flat(), ...block(1)]); // biome-ignore format: one line
    const stored = { GZIP: gzipSync(zeros), BROTLI: brotliCompressSync(zeros), ZSTD: zstd }[codec]!;
    const column = {
      type: "BYTE_ARRAY",
      codec,
      maxDefinition: 0,
      maxRepetition: 0,
      start: 0,
      end: stored.length,
      values: 2,
    };
    const header = { type: "DICTIONARY_PAGE", compressed_page_size: stored.length, uncompressed_page_size: 8 };
    const handle = {
      async read(target: Uint8Array) {
        target.set(stored);
        return { bytesRead: stored.length, buffer: target };
      },
    };
    const fail = (reason: string): never => { throw new Error(reason); }; // biome-ignore format: one line
    const before = process.memoryUsage().arrayBuffers;
    const values = await readDictionary(handle as never, column, { header, offset: 0, values: 2, bytes: 8 } as never, fail).catch((e) => e); // biome-ignore format: one line
    if (codec !== "ZSTD") expect(values).toBeInstanceOf(Error);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 22);
  },
);
