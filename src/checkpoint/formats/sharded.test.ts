import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { tensor } from "../../tensor/tensor.ts";
import { openWeights } from "./open-weights.ts";
import { writeSafetensors } from "./safetensors.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-sharded-"));
  await shard("one.safetensors", { a: 1, b: 2 });
  await shard("two.safetensors", { c: 3 });
});
afterEach(() => rm(folder, { recursive: true }));

async function shard(name: string, values: Readonly<Record<string, number>>) {
  const tensors = Object.entries(values).map(([name, value]) => {
    return { name, dtype: "F32" as const, shape: [1], data: () => tensor([1], [value]) };
  });
  await writeSafetensors(join(folder, name), { tensors, metadata: new Map([["format", "pt"]]) });
}

async function open(weight_map: object | string) {
  const path = join(folder, "model.safetensors.index.json");
  await writeFile(path, typeof weight_map === "string" ? weight_map : JSON.stringify({ metadata: {}, weight_map }));
  return openWeights(path);
}

const sound = { a: "one.safetensors", b: "one.safetensors", c: "two.safetensors" };

test("each tensor is read from the file that the index names", async () => {
  const file = await open(sound);
  expect([...file.tensors.keys()]).toEqual(["a", "b", "c"]);
  expect([...(await file.read("b")).data, ...(await file.read("c")).data]).toEqual([2, 3]);
  expect(file.files).toEqual([join(folder, "one.safetensors"), join(folder, "two.safetensors")]);
  expect(file.metadata).toEqual(new Map([["format", "pt"]]));
  await expect(file.readRaw("d")).rejects.toThrow("has no tensor d");
  await file.close();
});

test("a shard may be a link, as in the hub's cache", async () => {
  const target = join(folder, "blob");
  await writeSafetensors(target, {
    tensors: [{ name: "d", dtype: "F32", shape: [1], data: () => tensor([1], [4]) }],
  });
  await symlink(target, join(folder, "three.safetensors"));
  const file = await open({ ...sound, d: "three.safetensors" });
  expect((await file.read("d")).data[0]).toBe(4);
  await file.close();
});

test.each<[string, object | string, RegExp]>([
  [
    "a path upwards",
    { ...sound, a: "../one.safetensors" },
    /names the file "..\/one.safetensors"; weights must lie beside/,
  ],
  ["an absolute path", { ...sound, a: "/etc/passwd" }, /names the file "\/etc\/passwd"/],
  ["a hidden file", { ...sound, a: ".one.safetensors" }, /names the file ".one.safetensors"/],
  ["another index", { ...sound, a: "model.safetensors.index.json" }, /names the file "model.safetensors.index.json"/],
  ["a number", { ...sound, a: 7 }, /names the file "7"/],
  ["a list", '{"weight_map": ["one.safetensors"]}', /weight_map/],
  ["a missing file", { ...sound, d: "four.safetensors" }, /there is no file .*four.safetensors/],
  ["a tensor in the wrong file", { ...sound, a: "two.safetensors" }, /does not say that one.safetensors holds "a"/],
  ["a tensor too many", { ...sound, d: "two.safetensors" }, /says that two.safetensors holds "d", and it does not/],
  ["a tensor too few", { b: "one.safetensors", c: "two.safetensors" }, /does not say that one.safetensors holds "a"/],
  ["__proto__", '{"weight_map": {"__proto__": "one.safetensors"}}', /has the key "__proto__"/],
  [
    "300 files",
    Object.fromEntries(Array.from({ length: 300 }, (_, i) => [i, `${i}.bin`])),
    /names 300 files; at most 256/,
  ],
])("an index with %s is refused", async (_, index, message) => {
  await expect(open(index)).rejects.toThrow(message);
  await expect(open(index)).rejects.toMatchObject({ code: "bad-input" });
});
