/** Work that grows no faster than the file: counted in opcodes, bytes read and places visited, not in seconds. */
import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { bytes, pickle, push, tensorOpcodes, torchFile } from "../../test/torch.ts";
import { nearest } from "../tensor/error.ts";
import { parseHeaderJson } from "./formats/header-json.ts";
import { openWeights } from "./formats/open-weights.ts";
import { openTorchFile } from "./formats/torch-file.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-bounded-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function torch(content: Uint8Array, storages: Record<string, Uint8Array>) {
  const path = join(folder, "model.pt");
  await writeFile(path, torchFile(pickle(content), storages));
  return path;
}
const refusal = (path: string) =>
  openWeights(path).then(
    (file) => file.close().then(() => "read"),
    (error: Error) => error.message,
  );

const one = { type: "FloatStorage", key: "0", values: 1 } as const;
const storage = { "0": new Uint8Array(4) };

/** A pair that holds the one before twice, so many times: 2^depth leaves in a few bytes. */
function shared(depth: number, leaf: Uint8Array): Uint8Array {
  const levels = Array.from({ length: depth }, (_, i) => bytes("h", i, "h", i, 0x86, "q", i + 1, "0"));
  return bytes(leaf, "q", 0, "0", ...levels, "h", depth);
}

describe("pickles whose parts are shared", () => {
  const pairs = shared(60, push.text("x"));
  const tensor = tensorOpcodes(one, [1]);
  test.each<[string, Uint8Array, RegExp]>([
    ["a tensor's name", bytes("}", pairs, tensor, "s"), /a tensor whose name is object/],
    ["a key beside the tensors", bytes("}", pairs, push.int(1), "s", push.text("a"), tensor, "s"), /^read$/],
    ["a value beside the tensors", bytes("}", push.text("z"), pairs, "s", push.text("a"), tensor, "s"), /^read$/],
    ["dicts", bytes("}", push.text("z"), shared(60, bytes("}")), "s", push.text("a"), tensor, "s"), /^read$/],
    [
      "an attribute",
      bytes(push.name("__torch__.m", "M"), ")", 0x81, "}", pairs, tensor, "s", "b"),
      /an attribute without a name/,
    ],
    ["a name to import", bytes(pairs, pairs, 0x93), /it computes a name to import/],
    ["all there is", bytes("}", pairs, pairs, "s"), /it holds object; a state dict has tensors/],
  ])("%s", async (_, content, expected) => {
    const message = await refusal(await torch(content, storage));
    expect(message).toMatch(expected);
    expect(message.length).toBeLessThan(400);
  });

  test("tensors in fifty dicts are seen; in a thousand, refused", async () => {
    const nested = (depth: number) =>
      Array.from({ length: depth }).reduce<Uint8Array>((inner) => push.dict({ d: inner }), push.dict({ b: tensor }));
    const path = await torch(push.dict({ a: tensor, deep: nested(50) }), storage);
    const file = await openTorchFile(path);
    expect(file.notes).toEqual([
      `under "${`deep${".d".repeat(50)}`.slice(0, 80)}...", 1 tensors beside its state dict are not used`,
    ]);
    await file.close();
    expect(await refusal(await torch(push.dict({ a: tensor, deep: nested(1000) }), storage))).toMatch(
      /it nests "deep\.d\.d.*too deep/,
    );
  });

  test("one name of a megabyte, imported a thousand times: refused at the first", async () => {
    const long = bytes(push.text("m".repeat(2 ** 20)), "q", 0, push.text("n"), "q", 1);
    const content = bytes(long, ...Array.from({ length: 1000 }, () => bytes("h", 0, "h", 1, 0x93)));
    expect(await refusal(await torch(content, storage))).toContain("it names something of 1048576 characters");
  });

  test("one shape of 100,000 sizes, for every tensor: refused at the first", async () => {
    const shape = bytes("(", ...Array.from({ length: 30_000 }, () => "K\x01"), "t");
    const tensor = push.call(
      "torch._utils",
      "_rebuild_tensor_v2",
      bytes(
        "(",
        push.text("storage"),
        push.name("torch", "FloatStorage"),
        push.text("0"),
        push.text("cpu"),
        push.int(1),
        "tQ",
      ),
      push.int(0),
      shape,
      shape,
    );
    expect(await refusal(await torch(push.dict({ a: tensor }), storage))).toMatch(/has odd sizes/);
  });
});

describe("tensors that do not lie row by row", () => {
  const values = 4096;
  const storages = { "0": new Uint8Array(Float32Array.from({ length: values }, (_, i) => i).buffer) };
  const big = { type: "FloatStorage", key: "0", values } as const;
  const ends = () => tensorOpcodes(big, [2], [values - 1]);

  test("a few that reach over their storage are read", async () => {
    const path = await torch(push.dict({ a: ends(), b: ends() }), storages);
    const file = await openTorchFile(path);
    expect([...(await file.read("b")).data]).toEqual([0, values - 1]);
    await file.close();
  });

  test("many are refused: each would be read over the whole storage", async () => {
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`t${i}`, ends()]));
    expect(await refusal(await torch(push.dict(many), storages))).toMatch(
      /spread so far over their storages that \d+ bytes would be read/,
    );
  });

  test("a transposed one is read once, however many pieces are asked for", async () => {
    const path = await torch(
      push.dict({ t: tensorOpcodes(big, [64, 64], [1, 64]), u: tensorOpcodes(big, [64, 64], [1, 64]) }),
      storages,
    );
    const file = await openTorchFile(path);
    const handle = await open(path);
    const read = vi.spyOn(Object.getPrototypeOf(handle), "read");
    await handle.close();
    const pieces: number[] = [];
    for (let at = 0; at < values; at += 128) pieces.push(...(await file.readPart("t", at, 128)));
    expect(pieces).toEqual(Array.from({ length: values }, (_, i) => (i % 64) * 64 + Math.floor(i / 64)));
    expect(read).toHaveBeenCalledTimes(1);
    expect((await file.read("u")).data[1]).toBe(64);
    read.mockRestore();
    await file.close();
  });
});

describe("headers", () => {
  const parse = (text: string) =>
    parseHeaderJson(text, (reason) => {
      throw new Error(reason);
    });
  test("a shape of a million sizes is refused at the 65th", () => {
    expect(() => parse(`{"a":{"dtype":"F32","shape":[${"1,".repeat(1_000_000)}1]}}`)).toThrow(
      /at character \d{2,3} of its header there are more than 64 sizes/,
    );
  });
  test("metadata without end is refused", () => {
    const entries = Array.from({ length: 10_001 }, (_, i) => `"${i}":""`);
    expect(() => parse(`{"__metadata__":{${entries.join(",")}}}`)).toThrow("more than 10000 entries of metadata");
    expect(parse(`{"__metadata__":{${entries.slice(1).join(",")}}}`).metadata.size).toBe(10_000);
  });
});

test("no distance is computed to a name that is no slip of the finger", () => {
  const known = ["logit_scale", "visual_projection.weight"];
  expect(nearest("logit_scal", known)).toBe("logit_scale");
  expect(nearest("x".repeat(2 ** 24), known)).toBeUndefined();
});
