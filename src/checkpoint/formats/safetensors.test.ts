import { mkdtemp, open, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { tensor } from "../../tensor/tensor.ts";
import { openSafetensors, type TensorSource, writeSafetensors } from "./safetensors.ts";
import { byteLength, DTYPE_BITS, type Dtype } from "./safetensors-header.ts";

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-safetensors-"));
  path = join(folder, "model.safetensors");
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true, force: true });
});

/** A file from the text of its header, whatever that says, and a buffer of so many bytes. */
async function forge(header: string | Uint8Array, bufferLength: number, claimed?: bigint): Promise<void> {
  const json = Buffer.from(header);
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(claimed ?? BigInt(json.length));
  await writeFile(path, Buffer.concat([prefix, json, Buffer.alloc(bufferLength)]));
}

const one = (entry: string) => `{"a":${entry}}`;
const f32 = (shape: string, begin: number, end: number) =>
  `{"dtype":"F32","shape":${shape},"data_offsets":[${begin},${end}]}`;

describe("hostile files are refused with exit code 2, saying why", () => {
  test.each<[reason: string, header: string, buffer: number, message: RegExp]>([
    ["no JSON object", "[]", 0, /does not begin with \{/],
    ["spaces in front", ` ${one(f32("[1]", 0, 4))}`, 4, /does not begin with \{/],
    ["a byte order mark in front", `\ufeff${one(f32("[1]", 0, 4))}`, 4, /does not begin with \{/],
    ["broken JSON", "{oops", 0, /at character 1 .* should be ", not "oops"/],
    ["a string without end", '{"a', 0, /does not end/],
    ["a string with a broken escape", '{"\\x":1}', 0, /not JSON/],
    ["a trailing comma", `{"a":${f32("[1]", 0, 4)},}`, 4, /should be ", not "}"/],
    ["text after the JSON", `${one(f32("[1]", 0, 4))} x`, 4, /should be its end, not "x"/],
    ["100,000 brackets", `{"a":${"[".repeat(100_000)}`, 0, /at character 5 .* should be \{, not "\[\[\[/],
    [
      "an unknown field",
      one('{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":0}'),
      4,
      /tensor "a" has the unknown field "x"/,
    ],
    ["the same tensor twice", `{"a":${f32("[1]", 0, 4)},"a":${f32("[1]", 4, 8)}}`, 8, /"a" twice/],
    [
      "the same tensor twice, spelled with an escape",
      `{"a":${f32("[1]", 0, 4)},"\\u0061":${f32("[1]", 4, 8)}}`,
      8,
      /"a" twice/,
    ],
    ["the same metadata key twice", '{"__metadata__":{"k":"1","k":"2"}}', 0, /"k" twice/],
    ["the same field twice", one('{"dtype":"F32","shape":[1],"shape":[2],"data_offsets":[0,8]}'), 8, /"shape" twice/],
    ["metadata that is no string", '{"__metadata__":{"k":1}}', 0, /should be ", not "1}}"/],
    ["metadata that is no object", '{"__metadata__":["k"]}', 0, /at character 16 .* should be \{, not/],
    ["a tensor that is no object", one("[1]"), 0, /should be \{, not/],
    ["a tensor that is null", one("null"), 0, /should be \{, not/],
    ["an unknown dtype", one('{"dtype":"F33","shape":[1],"data_offsets":[0,4]}'), 4, /unknown dtype "F33"/],
    [
      "a dtype named as a method of objects",
      one('{"dtype":"constructor","shape":[1],"data_offsets":[0,4]}'),
      4,
      /unknown dtype/,
    ],
    ["no shape", one('{"dtype":"F32","data_offsets":[0,4]}'), 4, /tensor "a" has no shape/],
    ["no dtype", one('{"shape":[1],"data_offsets":[0,4]}'), 4, /tensor "a" has the unknown dtype "none"/],
    ["a negative size", one(f32("[-1]", 0, 4)), 4, /should be a non-negative integer below 2\^53/],
    ["a fraction of a size", one(f32("[0.5]", 0, 2)), 2, /should be a non-negative integer below 2\^53/],
    ["an unsafe size", one(f32("[9007199254740993]", 0, 4)), 4, /should be a non-negative integer below 2\^53/],
    ["65 dimensions", one(f32(`[${Array(65).fill(1)}]`, 0, 4)), 4, /more than 64 sizes/],
    ["a product that overflows", one(f32("[4294967296,4294967296]", 0, 4)), 4, /shape too large/],
    ["a product that overflows before a zero", one(f32("[4294967296,4294967296,0]", 0, 0)), 0, /shape too large/],
    [
      "values that fill no whole byte",
      one('{"dtype":"F4","shape":[3],"data_offsets":[0,2]}'),
      2,
      /not made of whole bytes/,
    ],
    ["three offsets", one('{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}'), 4, /no data_offsets of two numbers/],
    ["a negative offset", one(f32("[1]", -4, 0)), 4, /should be a non-negative integer/],
    ["an end before the begin", one(f32("[1]", 4, 0)), 4, /needs 4 bytes/],
    ["too few bytes for the shape", one(f32("[2]", 0, 4)), 4, /needs 8 bytes for F32 \[2\], its offsets 0 to 4 give 4/],
    ["overlapping tensors", `{"a":${f32("[2]", 0, 8)},"b":${f32("[2]", 4, 12)}}`, 12, /tensor "b" overlaps/],
    ["two tensors in the same place", `{"a":${f32("[1]", 0, 4)},"b":${f32("[1]", 0, 4)}}`, 4, /overlaps/],
    ["a hole between tensors", `{"a":${f32("[1]", 0, 4)},"b":${f32("[1]", 8, 12)}}`, 12, /hole before tensor "b"/],
    ["a hole at the start", one(f32("[1]", 4, 8)), 8, /hole before tensor "a"/],
    ["a tensor beyond the end", one(f32("[2]", 0, 8)), 4, /cut short: its tensors need 8 bytes and 4 are there/],
    ["bytes after the last tensor", one(f32("[1]", 0, 4)), 5, /1 bytes at its end belong to no tensor/],
  ])("%s", async (_, header, buffer, message) => {
    await forge(header, buffer);
    await expect(openSafetensors(path)).rejects.toThrow(message);
    await expect(openSafetensors(path)).rejects.toMatchObject({ name: "TbarError", code: "bad-input" });
  });

  test.each([
    ["longer than the file", 100n],
    ["over 100,000,000", 100_000_001n],
    ["of 2^64 - 1", 2n ** 64n - 1n],
  ])("a header length %s", async (_, claimed) => {
    await forge(one(f32("[1]", 0, 4)), 4, claimed);
    await expect(openSafetensors(path)).rejects.toMatchObject({
      code: "bad-input",
      message: expect.stringContaining(`${claimed} bytes`),
    });
  });

  test("a header that is not UTF-8", async () => {
    await forge(Buffer.from('{"\xff":1}', "latin1"), 0);
    await expect(openSafetensors(path)).rejects.toThrow(/header is not UTF-8/);
  });

  test("an empty file, a missing one, a folder", async () => {
    await writeFile(path, "");
    await expect(openSafetensors(path)).rejects.toThrow(/it has 0 bytes/);
    await expect(openSafetensors(join(folder, "none"))).rejects.toThrow(/there is no file/);
    await expect(openSafetensors(folder)).rejects.toMatchObject({ code: "bad-input" });
  });

  test("a file cut short after it was opened", async () => {
    await forge(one(f32("[4]", 0, 16)), 16);
    const file = await openSafetensors(path);
    await truncate(path, 60);
    await expect(file.read("a")).rejects.toThrow(/became shorter/);
    await file.close();
  });

  test("any bytes at all: refused or read, never another error", async () => {
    const header = one(f32("[1]", 0, 4));
    await fc.assert(
      fc.asyncProperty(fc.nat(header.length - 1), fc.nat(255), async (at, byte) => {
        const bytes = Buffer.from(header);
        bytes[at] = byte;
        await forge(bytes, 4);
        const file = await openSafetensors(path).catch((error) => {
          expect(error).toMatchObject({ code: "bad-input" });
        });
        await file?.close();
      }),
      { numRuns: 200 },
    );
  });
});

describe("what the format allows is read", () => {
  test("rank 0, empty tensors, names of object methods, padding, tensors in any order", async () => {
    const empty = f32("[0,3]", 4, 4);
    await forge(
      `{"__proto__":${f32("[]", 4, 8)},"b":${empty},"toString":${f32("[1,1]", 0, 4)},"__metadata__":{"__proto__":"x"}}   `,
      8,
    );
    const file = await openSafetensors(path);
    expect([...file.tensors.keys()]).toEqual(["__proto__", "b", "toString"]);
    expect(file.metadata).toEqual(new Map([["__proto__", "x"]]));
    expect(await file.read("__proto__")).toEqual({ shape: [], data: new Float32Array(1) });
    expect(await file.read("b")).toEqual({ shape: [0, 3], data: new Float32Array(0) });
    expect(({} as { dtype?: string }).dtype).toBeUndefined();
    await file.close();
  });

  test("a header of an odd length, so that no tensor is aligned in the file", async () => {
    const header = one(f32("[2]", 0, 8));
    await forge(header, 0);
    await writeFile(path, Buffer.concat([await readFile(path), Buffer.from(Float32Array.of(1.5, -2).buffer)]));
    expect(header.length % 4).not.toBe(0);
    const file = await openSafetensors(path);
    expect((await file.read("a")).data).toEqual(Float32Array.of(1.5, -2));
    await file.close();
  });

  test.each<[Dtype, ArrayBufferView, number[]]>([
    ["BOOL", Uint8Array.of(1, 0), [1, 0]],
    ["U8", Uint8Array.of(255), [255]],
    ["I8", Int8Array.of(-3), [-3]],
    ["I16", Int16Array.of(-300), [-300]],
    ["U16", Uint16Array.of(65535), [65535]],
    ["I32", Int32Array.of(-70000), [-70000]],
    ["I64", BigInt64Array.of(-5n, 49407n), [-5, 49407]],
    ["U64", BigUint64Array.of(49407n), [49407]],
  ])("%s as integers", async (dtype, values, expected) => {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    await writeSafetensors(path, { tensors: [{ name: "a", dtype, shape: [expected.length], data: () => bytes }] });
    const file = await openSafetensors(path);
    expect(await file.readInts("a")).toEqual({ shape: [expected.length], data: Int32Array.from(expected) });
    await expect(file.read("a")).rejects.toThrow(`holds ${dtype}, not floating point values`);
    await file.close();
  });

  test("an integer of more than 32 bits is refused, not wrapped", async () => {
    const bytes = new Uint8Array(BigInt64Array.of(2n ** 32n + 1n).buffer);
    await writeSafetensors(path, { tensors: [{ name: "a", dtype: "I64", shape: [1], data: () => bytes }] });
    const file = await openSafetensors(path);
    await expect(file.readInts("a")).rejects.toThrow(/more than 32 bits/);
    await file.close();
  });
});

describe("writing", () => {
  const floats = (name: string, dtype: Dtype, values: number[]): TensorSource => ({
    name,
    dtype,
    shape: [values.length],
    data: () => tensor([values.length], values),
  });

  test("official order: dtype of largest alignment first, then name by UTF-8 bytes; header padded to 8 with spaces", async () => {
    const tensors = [
      floats("b", "F16", [1]),
      floats("a", "F32", [1]),
      floats("\u{10000}", "BF16", [1]),
      floats("\uffee", "BF16", [1]),
      floats("z", "F64", [1]),
    ];
    await writeSafetensors(path, { tensors, metadata: new Map([["format", "pt"]]) });
    const bytes = await readFile(path);
    const length = Number(bytes.readBigUInt64LE());
    expect(length % 8).toBe(0);
    expect(bytes.subarray(8, 8 + length).toString()).toBe(
      '{"__metadata__":{"format":"pt"},"z":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},' +
        '"a":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},"\uffee":{"dtype":"BF16","shape":[1],"data_offsets":[12,14]},' +
        '"\u{10000}":{"dtype":"BF16","shape":[1],"data_offsets":[14,16]},"b":{"dtype":"F16","shape":[1],"data_offsets":[16,18]}}' +
        " ".repeat(1),
    );
  });

  test("whatever is written is read back: names, dtypes, shapes, metadata, bytes", async () => {
    const dtypes = (Object.keys(DTYPE_BITS) as Dtype[]).filter((dtype) => DTYPE_BITS[dtype] >= 8);
    const one = fc.record({
      name: fc.string({ unit: "binary" }).filter((name) => name !== "__metadata__"),
      dtype: fc.constantFrom(...dtypes),
      shape: fc.array(fc.nat(4), { maxLength: 3 }),
      seed: fc.nat(255),
    });
    const model = fc.uniqueArray(one, { selector: ({ name }) => name, maxLength: 6 });
    const metadata = fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 });
    await fc.assert(
      fc.asyncProperty(model, metadata, async (entries, pairs) => {
        const bytesOf = ({ dtype, shape, seed }: (typeof entries)[number]) =>
          Uint8Array.from({ length: byteLength(dtype, shape)! }, (_, i) => (i * 31 + seed) % 256);
        const tensors = entries.map((entry) => ({ ...entry, data: () => bytesOf(entry) }));
        await writeSafetensors(path, { tensors, metadata: new Map(Object.entries(pairs)) }, { force: true });
        const file = await openSafetensors(path);
        expect(file.metadata).toEqual(new Map(Object.entries(pairs)));
        expect([...file.tensors.keys()].sort()).toEqual(entries.map(({ name }) => name).sort());
        for (const entry of entries) {
          expect(file.tensors.get(entry.name)).toMatchObject({ dtype: entry.dtype, shape: entry.shape });
          expect(await file.readRaw(entry.name)).toEqual(bytesOf(entry));
        }
        await file.close();
      }),
      { numRuns: 60 },
    );
  });

  test.each([
    ["F16", 65520],
    ["BF16", 3.4e38],
  ] as const)(
    "a finite value that %s would turn into infinity is refused, and leaves nothing behind",
    async (dtype, value) => {
      const writing = writeSafetensors(path, { tensors: [floats("big", dtype, [1, -value])] });
      await expect(writing).rejects.toThrow(/tensor big holds -.* too large for/);
      expect(await readdir(folder)).toEqual([]);
    },
  );

  test("a full disk (ENOSPC at the second write) is exit code 2 and leaves nothing behind", async () => {
    const probe = await open(folder);
    const write = vi.spyOn(Object.getPrototypeOf(probe), "writeFile");
    await probe.close();
    write.mockResolvedValueOnce(undefined);
    write.mockRejectedValueOnce(Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" }));
    const writing = writeSafetensors(path, { tensors: [floats("a", "F32", [1, 2])] });
    await expect(writing).rejects.toMatchObject({
      code: "bad-input",
      message: `cannot write ${path}: the disk is full`,
    });
    expect(await readdir(folder)).toEqual([]);
  });

  test("an existing output is refused untouched; force replaces it", async () => {
    await writeFile(path, "mine");
    const content = { tensors: [floats("a", "F32", [1])] };
    await expect(writeSafetensors(path, content)).rejects.toThrow(/exists already.*--force/);
    expect(await readFile(path, "utf8")).toBe("mine");
    await writeSafetensors(path, content, { force: true });
    expect((await openSafetensors(path).then((file) => file.close().then(() => file.tensors))).size).toBe(1);
    expect(await readdir(folder)).toEqual(["model.safetensors"]);
  });

  test("one tensor at a time: the next is asked for when the one before is written", async () => {
    const asked: string[] = [];
    const probe = await open(folder);
    const write = vi.spyOn(Object.getPrototypeOf(probe), "writeFile");
    await probe.close();
    const watch = (name: string): TensorSource => ({
      ...floats(name, "F32", [1]),
      data: () => {
        asked.push(`${name} after ${write.mock.calls.length} writes`);
        return tensor([1], [0]);
      },
    });
    await writeSafetensors(path, { tensors: [watch("a"), watch("b"), watch("c")] });
    expect(asked).toEqual(["a after 1 writes", "b after 2 writes", "c after 3 writes"]);
  });
});
