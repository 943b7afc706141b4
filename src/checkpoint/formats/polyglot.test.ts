/** Files that mean one thing to us and another to somebody else. Each is built here, sound as what we read. */
import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bytes, pickle, push, tensorOpcodes, torchFile, zip } from "../../../test/torch.ts";
import { openWeights } from "./open-weights.ts";
import { otherReadings } from "./polyglot.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-polyglot-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function readings(content: Uint8Array, is: "archive" | "other" = "other"): Promise<string[]> {
  await writeFile(join(folder, "file"), content);
  const file = await open(join(folder, "file"));
  try {
    return await otherReadings(file, "file", is);
  } finally {
    await file.close();
  }
}

const refusal = async (content: Uint8Array, name = "a.safetensors") => {
  await writeFile(join(folder, name), content);
  return openWeights(join(folder, name)).then(
    (file) => file.close().then(() => "read"),
    (error: Error) => error.message,
  );
};

/** A sound file of one tensor of bytes, its header filled up with spaces to a length that is chosen. */
function safetensors(name: string, data: Uint8Array, headerLength?: number): Buffer {
  const json = `{${JSON.stringify(name)}:{"dtype":"U8","shape":[${data.length}],"data_offsets":[0,${data.length}]}}`;
  const length = headerLength ?? Math.ceil(json.length / 8) * 8;
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(length));
  return Buffer.concat([prefix, Buffer.from(json.padEnd(length)), data]);
}

/**
 * A header length of 0x1058 reads as BINUNICODE of 16 bytes, which ends in the tensor's name; from there short strings of the name carry a
 * pickle on to the values, where what it does stands.
 */
function pickleInside(does: Uint8Array): Buffer {
  const headerLength = 0x1058;
  const hop = (length: number) => `U${String.fromCharCode(length)}`;
  // the name begins at byte 10 of the file, its 12th character at byte 21
  let name = "n".repeat(11);
  const rest = (length: number) => `":{"dtype":"U8","shape":[${length}],"data_offsets":[0,${length}]}}`.length;
  const end = 8 + headerLength - 10;
  const last = rest(does.length) + 1;
  while (end - name.length > 2 + 126 + 2 + last + 40) name += hop(126) + "x".repeat(126);
  let left = end - name.length - 2 - last;
  while (left > 110) {
    const step = Math.min(90, left - 40);
    name += hop(step) + "y".repeat(step);
    left = end - name.length - 2 - last;
  }
  if (left >= 34) {
    name += hop(left - 2) + "z".repeat(left - 2);
    left = end - name.length - 2 - last;
  }
  name += hop(end - name.length - 2);
  return safetensors(name, does, headerLength);
}

describe("sound safetensors that are a pickle", () => {
  const evil = bytes(push.name("posix", "system"), push.text("id"), 0x85, "R.");
  test("what it would import is named, and it is not opened", async () => {
    const file = pickleInside(evil);
    expect(file.length).toBe(8 + 0x1058 + evil.length);
    expect(await readings(file)).toEqual(['it can also be read as a pickle, which would import "posix.system"']);
    expect(await refusal(file)).toMatch(
      /is refused: it can also be read as a pickle.*nothing was run\). See: tbar inspect/,
    );
  });

  test("however it goes there: odd strings, types that only Python takes, no end", async () => {
    const spell = (...parts: readonly (string | number | Uint8Array)[]) =>
      pickleInside(bytes(...parts, push.name("os", "system")));
    const surrogate = bytes("X", 3, 0, 0, 0, 0xed, 0xa0, 0x80);
    for (const file of [
      spell(surrogate),
      spell("I1_000\n"),
      spell("]K\x00K\x01s"),
      spell("}", "K\x01a"),
      spell("B", 0xff, 0xff, 1, 0, Buffer.alloc(0x1ffff)), // a string longer than is kept
      pickleInside(bytes(push.text("os"), push.text("system"), 0x93)),
      pickleInside(bytes("(ios\nsystem\n")),
      pickleInside(bytes(0x82, 9)),
    ]) {
      expect((await readings(file)).join()).toMatch(/would import "(os.system|copyreg.extension 9)"/);
    }
  });

  test("a pickle that goes on and on is no accident", async () => {
    expect(await readings(pickleInside(Buffer.alloc(200_000, "N")))).toEqual([
      "it can also be read as a pickle of more than 100000 opcodes",
    ]);
  });

  test("one that imports nothing that can be imported is an accident", async () => {
    expect(await readings(pickleInside(bytes("c+/\n)(\n")))).toEqual([]);
    expect(await readings(pickleInside(bytes("N.")))).toEqual([]);
    expect(await refusal(pickleInside(bytes("N.")))).toBe("read");
  });
});

describe("sound safetensors that are an archive", () => {
  const inner = zip([{ name: "archive/data.pkl", data: pickle(push.int(1)) }], { zip64: false });
  test.each<[string, Uint8Array]>([
    ["a zip at its end", inner],
    ["a zip with zip64's records", zip([{ name: "archive/data.pkl", data: pickle(push.int(1)) }])],
    ["a zip and a comment of 60,000 bytes behind it", Buffer.concat([inner, Buffer.alloc(60_000)])],
  ])("%s", async (_, data) => {
    const file = safetensors("a", data);
    expect(await readings(file)).toEqual(["it can also be read as a zip archive, from its end"]);
    expect(await refusal(file)).toContain("is refused: it can also be read as a zip archive");
  });

  test("the four bytes of a zip's end alone are an accident", async () => {
    expect(
      await readings(
        safetensors("a", Buffer.concat([Buffer.alloc(100, "x"), Buffer.from("PK\x05\x06"), Buffer.alloc(30)])),
      ),
    ).toEqual([]);
  });

  test("a tar's checksum in its header", async () => {
    const file = safetensors(`${"a".repeat(138)}00000000${"b".repeat(600)}`, bytes("data"));
    const sum = file.subarray(0, 512).reduce((sum, byte, i) => sum + (i >= 148 && i < 156 ? 32 : byte), 0);
    file.write(sum.toString(8).padStart(8, "0"), 148, "latin1");
    expect(await readings(file)).toEqual(["it can also be read as a tar archive"]);
    file.write((sum + 1).toString(8).padStart(8, "0"), 148, "latin1");
    expect(await readings(file)).toEqual([]);
  });

  test("a stream that unpacks to a pickle, or to anything long", async () => {
    const evil = bytes(push.name("posix", "system"), push.text("id"), 0x85, "R.");
    for (const pack of [gzipSync, deflateSync]) {
      expect((await readings(pack(evil))).join()).toMatch(
        /unpacked as a (gzip|zlib) stream, can also be read as a pickle, which would import/,
      );
      expect((await readings(pack(Buffer.alloc(9000, "text")))).join()).toMatch(
        /it can also be unpacked, as a (gzip|zlib) stream/,
      );
      expect(await readings(pack(Buffer.from("short")))).toEqual([]);
    }
  });
});

const x = tensorOpcodes({ type: "FloatStorage", key: "0", values: 2 }, [2]);
const sound = torchFile(pickle(push.dict({ x })), { "0": new Uint8Array(8) });

test("an archive with bytes that belong to no entry is refused", async () => {
  // the directory of the same archive moved behind 100 bytes: all its offsets grow
  const moved = (at: number) => {
    const start = sound.indexOf("PK\x01\x02", 0, "latin1");
    const directory = Buffer.from(sound.subarray(start));
    const grow = (place: number) => directory.writeUInt32LE(directory.readUInt32LE(place) + 100, place);
    for (let entry = 0; (entry = directory.indexOf("PK\x01\x02", entry, "latin1")) >= 0; entry++) {
      if (directory.readUInt32LE(entry + 42) >= at) grow(entry + 42);
    }
    const end64 = directory.indexOf("PK\x06\x06", 0, "latin1");
    if (end64 >= 0) {
      grow(end64 + 48);
      grow(directory.indexOf("PK\x06\x07", 0, "latin1") + 8);
    }
    const end = directory.lastIndexOf("PK\x05\x06", undefined, "latin1");
    if (directory.readUInt32LE(end + 16) !== 0xffffffff) grow(end + 16);
    return Buffer.concat([sound.subarray(0, at), Buffer.alloc(100, 1), sound.subarray(at, start), directory]);
  };
  const second = sound.indexOf("PK\x03\x04", 1, "latin1");
  expect(second).toBeGreaterThan(0);
  expect(await refusal(moved(second), "a.pt")).toMatch(/1[0-9][0-9] bytes behind its entry "[^"]+" belong to none/);
  const start = sound.indexOf("PK\x01\x02", 0, "latin1");
  expect(await refusal(moved(start), "a.pt")).toMatch(/1[0-9][0-9] bytes behind its entry "[^"]+" belong to none/);
});

test("a PyTorch archive is an archive, and nothing else", async () => {
  expect(await readings(sound, "archive")).toEqual([]);
  expect(await refusal(sound, "a.pt")).toBe("read");
});
