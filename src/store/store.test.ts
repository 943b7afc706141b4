/** Results on disk: whole or not there. */
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { forkModule } from "../process/fork.ts";
import { hashOf } from "./address.ts";
import { openStore } from "./store.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-store-"));
});
afterAll(() => rm(folder, { recursive: true }));

const address = { job: "clean", spec: { seed: 1, "recipe.lr": 1e-3 }, schema: "tbar/clean/2", tbar: "0.1.0" };
const hash = hashOf(address);

test("what is kept is there, without its pictures", async () => {
  const store = openStore(join(folder, "one"));
  expect(await store.get(hash)).toBeUndefined();
  await store.put(
    address,
    { value: 1, examples: ["data:..."], triggerPicture: "data:...", inside: { examples: 2 } },
    "by hand",
  );
  expect(await store.get(hash)).toEqual({ ...address, note: "by hand", result: { value: 1, inside: { examples: 2 } } });
  expect(await readdir(store.folder)).toEqual([`${hash}.json`]);
});

test("half a file, another result under this name, and what is none do not count", async () => {
  const store = openStore(join(folder, "two"));
  await store.put(address, { value: 1 });
  const file = join(store.folder, `${hash}.json`);
  const whole = await readFile(file, "utf8");
  for (const broken of [
    whole.slice(0, -20),
    "",
    "[]",
    whole.replace('"seed": 1', '"seed": 2'),
    whole.replace("clean/2", "clean/3"),
    whole.replace('"value": 1', '"schema": "tbar/eval/2"'),
  ]) {
    await writeFile(file, broken);
    expect(await store.get(hash)).toBeUndefined();
  }
  await store.put(address, { value: 2 });
  expect((await store.get(hash))?.result).toEqual({ value: 2 });
});

test("two processes that keep the same results at once: each is whole whenever it is read, and nothing else is left", async () => {
  const store = openStore(join(folder, "race"));
  const writers = ["1", "2"].map((value) =>
    forkModule("store-writer", new URL("../../test/pico.ts", import.meta.url).href, {
      args: [store.folder, value],
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    }),
  );
  let running = writers.length;
  for (const writer of writers) writer.on("exit", () => running--);
  const seen = new Set<unknown>();
  let reads = 0;
  while (running > 0) {
    const found = await store.get(hash);
    if (found === undefined)
      expect(reads).toBe(0); // once there it is there
    else reads += 1;
    if (found !== undefined) {
      expect((found.result.values as number[]).every((value) => value === found.result.value)).toBe(true);
      seen.add(found.result.value);
    }
    await new Promise((done) => setTimeout(done, 2));
  }
  expect(reads).toBeGreaterThan(5);
  expect(writers.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
  expect(await readdir(store.folder)).toEqual([`${hash}.json`]);
});
