import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, it } from "vitest";
import { clipPreprocess } from "../../checkpoint/config/preprocess.ts";
import { openCifarPython } from "./cifar-python.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-cifar-"));
});
afterEach(() => rm(folder, { recursive: true }));

const golden = (name: string) => fileURLToPath(new URL(`../../../test/golden/files/${name}`, import.meta.url));
const put = async (name: string, bytes: string | Uint8Array) => {
  await writeFile(join(folder, name), bytes);
  return join(folder, name);
};

/** As Python 2's cPickle writes it (protocol 2), which is how the official files are: short strings with U, long ones with T. */
function python2(
  labels: readonly number[],
  pixels: Uint8Array,
  callee = "numpy.core.multiarray\n_reconstruct\n",
  key = "labels",
) {
  const text = (value: string) => Buffer.concat([Buffer.of(0x55, value.length), Buffer.from(value)]);
  const int32 = (value: number) => {
    const bytes = Buffer.alloc(5);
    bytes[0] = 0x4a; // J
    bytes.writeInt32LE(value, 1);
    return bytes;
  };
  const length = Buffer.alloc(4);
  length.writeUInt32LE(pixels.length);
  const array = [`c${callee}cnumpy\nndarray\n`, Buffer.from("K\x00\x85U\x01b\x87R(K\x01", "latin1"), int32(labels.length), int32(pixels.length / labels.length), Buffer.from("\x86cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T", "latin1"), length, pixels, "tb"]; // biome-ignore format: one pickle
  return Buffer.concat(
    [
      "\x80\x02}(",
      text("data"),
      ...array,
      text(key),
      "](",
      ...labels.map((label) => Buffer.of(0x4b, label)),
      "eu.",
    ].map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : part)),
  );
}
const meta = (key: string, names: readonly string[]) =>
  Buffer.concat([
    Buffer.from("\x80\x02}", "latin1"),
    ...[key].map((k) => Buffer.concat([Buffer.of(0x55, k.length), Buffer.from(k)])),
    Buffer.from("]("),
    ...names.map((name) => Buffer.concat([Buffer.of(0x55, name.length), Buffer.from(name)])),
    Buffer.from("es."),
  ]);
/** Image i: red 10 i, green 1, blue 2. */
const pixels = (count: number) =>
  Uint8Array.from({ length: count * 3072 }, (_, k) =>
    k % 3072 < 1024 ? 10 * Math.floor(k / 3072) : k % 3072 < 2048 ? 1 : 2,
  );

it("CIFAR-10 as Python 2 pickled it: labels, names from batches.meta, pixels read from their place in the file", async () => {
  await put("batches.meta", meta("label_names", ["airplane", "big_automobile"]));
  const set = await openCifarPython(await put("data_batch_1", python2([1, 0, 1], pixels(3))));
  expect([set.size, set.classNames, set.example(2)]).toEqual([
    3,
    ["airplane", "big automobile"],
    { id: "data_batch_1/2", label: 1 },
  ]);
  const { data } = await set.read([2, 1], clipPreprocess(32));
  expect([data[0], data[1024], data[2048], data[3072]].map((v) => Math.round(v * 255))).toEqual([20, 1, 2, 10]);
});

it.each([3, 4])("CIFAR-100 pickled by Python 3, protocol %i: the fine label counts", async (protocol) => {
  await put("meta", meta("fine_label_names", ["apple", "aquarium_fish", "baby"]));
  await copyFile(golden(`cifar-python-${protocol}.pickle`), join(folder, "train"));
  const set = await openCifarPython(join(folder, "train"));
  expect([0, 1, 2].map((i) => set.classNames![set.example(i).label!])).toEqual(["baby", "apple", "aquarium fish"]);
  expect(Math.round((await set.read([1], clipPreprocess(32))).data[0] * 255)).toBe(10);
});

it.each([
  ['names "os system"', python2([0], pixels(1), "os\nsystem\n")],
  ["data is no array of 2 x 3072 bytes", python2([0, 1], pixels(1))],
  ["labels: item 1 does not fit", python2([0, 7], pixels(2))],
  ["no fine_labels (CIFAR-100) or labels (CIFAR-10)", python2([0], pixels(1), undefined, "other")],
  ["is no pickle of CIFAR", Buffer.from("PK\x03\x04")],
  ["is no pickle of CIFAR", python2([0], pixels(1)).subarray(0, 900)],
])("refuses: %s", async (message, bytes) => {
  await put("batches.meta", meta("label_names", ["a", "b"]));
  const file = await put("test_batch", bytes);
  await expect(openCifarPython(file)).rejects.toMatchObject({
    name: "TbarError",
    message: expect.stringContaining(message),
  });
  await expect(openCifarPython(file)).rejects.toThrow(file);
});

it("as many opcodes as CIFAR-100's training file has: 50,000 memorized names, twice as many labels", async () => {
  await put("meta", meta("fine_label_names", ["apple"]));
  const small = python2([0], pixels(1), undefined, "fine_labels");
  const names = Array.from(
    { length: 50_000 },
    (_, i) => `U\x05${String(i).padStart(5, "0")}r${String.fromCharCode(i & 255, i >> 8, 1, 0)}`,
  );
  const more = `U\x09filenames](${names.join("")}eU\x0dcoarse_labels](${"K\x00".repeat(100_000)}eu.`;
  const file = await put("train", Buffer.concat([small.subarray(0, -2), Buffer.from(more, "latin1")]));
  expect((await openCifarPython(file)).size).toBe(1);
});

it("the file of names must be there", async () => {
  const file = await put("test_batch", python2([0], pixels(1)));
  await expect(openCifarPython(file)).rejects.toThrow(join(folder, "batches.meta"));
  expect((await readFile(file)).length).toBeGreaterThan(3072);
});
