import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type WriteOptions, writeFileAtomic, writeFolderAtomic } from "./atomic.ts";
import { openSet } from "./output-set.ts";

let folder: string;
let out: string;
let report: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-set-"));
  out = join(folder, "model");
  await mkdir(join(folder, "reports"));
  report = join(folder, "reports", "page.html");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const here = async () => (await readdir(folder)).sort();
const journal = () => `${out}.unfinished.json`;

/** Work whose outputs belong together, as `runJob` does it. */
async function writeTogether(name: string, work: (options: WriteOptions) => Promise<void>): Promise<void> {
  const set = await openSet(out, name);
  try {
    await work({ set });
    await set.finish();
  } catch (error) {
    await set.fail();
    throw error;
  }
}

/** A vector, a model's folder and a report in another place; `until` says after how many of them the process dies. */
async function job(text: string, options: WriteOptions, until = 3): Promise<void> {
  if (until > 0) await writeFileAtomic(`${out}.vector`, text, options);
  if (until > 1) await writeFolderAtomic(out, (inside) => writeFile(join(inside, "weights"), text), options);
  if (until > 2) await writeFileAtomic(report, text, options);
}

/** As if it had been killed: the set is neither finished nor failed, and its process is gone. */
async function killed(text: string, until: number, change: object = {}): Promise<void> {
  const set = await openSet(out, "clean");
  await job(text, { set }, until);
  const left = JSON.parse(await readFile(journal(), "utf8"));
  await writeFile(journal(), JSON.stringify({ ...left, process: 2 ** 22 + 1, ...change }));
}

test("all there, and nothing beside them, when the job is done", async () => {
  const during: string[][] = [];
  await writeTogether("clean", async (options) => {
    await job("new", options, 2);
    during.push(await here());
    await writeFileAtomic(report, "new", options);
    options.set?.afterwards(async () => void during.push(await here()));
  });
  expect(during).toEqual([
    ["model", "model.unfinished.json", "model.vector", "reports"],
    ["model", "model.unfinished.json", "model.vector", "reports"],
  ]);
  expect(await here()).toEqual(["model", "model.vector", "reports"]);
});

test.each([1, 2, 3])("killed after output %i: the same job replaces what is there and finishes", async (until) => {
  await killed("old", until);
  await writeTogether("clean", (options) => job("new", options));
  expect(await here()).toEqual(["model", "model.vector", "reports"]);
  for (const path of [`${out}.vector`, join(out, "weights"), report]) expect(await readFile(path, "utf8")).toBe("new");
  await expect(writeTogether("clean", (options) => job("again", options))).rejects.toThrow("exists already");
});

test("killed twice, each time a step further: nothing of the first run is forgotten", async () => {
  await killed("first", 3);
  await killed("second", 1);
  await writeTogether("clean", (options) => job("third", options));
  expect(await readFile(report, "utf8")).toBe("third");
});

test("another job does not replace it, nor the same one what was changed since", async () => {
  await killed("old", 2);
  await expect(writeTogether("merge", (options) => job("new", options))).rejects.toThrow("exists already");
  await writeFile(join(out, "notes.txt"), "mine");
  await expect(writeTogether("clean", (options) => job("new", options))).rejects.toThrow(/model exists already/);
  expect(await readFile(join(out, "notes.txt"), "utf8")).toBe("mine");
  await rm(join(out, "notes.txt"));
  await writeFile(`${out}.vector`, "old");
  await utimes(`${out}.vector`, 1, 1);
  await expect(writeTogether("clean", (options) => job("new", options))).rejects.toThrow(/vector exists/);
});

test("a job that fails before its main output takes the others back; one that fails later can be done again", async () => {
  const failing = (until: number) =>
    writeTogether("clean", async (options) => {
      await job("new", options, until);
      throw new Error("no more");
    });
  await expect(failing(1)).rejects.toThrow("no more");
  expect(await here()).toEqual(["reports"]);
  await expect(failing(2)).rejects.toThrow("no more");
  expect(await here()).toEqual(["model", "model.unfinished.json", "model.vector", "reports"]);
  await writeTogether("clean", (options) => job("newer", options));
  expect(await readFile(join(out, "weights"), "utf8")).toBe("newer");
});

test("while another process writes them, a second one waits for nobody and says so", async () => {
  await killed("old", 1, { process: process.ppid });
  await expect(openSet(out, "clean")).rejects.toThrow(/another process \(\d+\) is writing/);
  await killed("old", 1, { host: "elsewhere" }).catch(() => {});
  await writeFile(journal(), JSON.stringify({ job: "clean", host: "elsewhere", process: 7, outputs: [] }));
  await expect(openSet(out, "clean")).rejects.toThrow(/another process \(7 on "elsewhere"\)/);
  await utimes(journal(), 1, 1);
  await openSet(out, "clean");
});

test.each([
  ["no JSON", "{"],
  ["another shape", '{"outputs": 3}'],
  ["a number of no process", JSON.stringify({ job: "clean", host: hostname(), process: -1, outputs: [] })],
])("a journal that is %s is refused", async (_, text) => {
  await writeFile(journal(), text);
  await expect(openSet(out, "clean")).rejects.toMatchObject({ code: "bad-input" });
});

test("a forged journal gives no right to what a job does not write", async () => {
  const mine = join(folder, "thesis.txt");
  await writeFile(mine, "years of work");
  const forged = { path: "thesis.txt", inode: "1", size: 13, changed: 1 };
  await writeFile(
    journal(),
    JSON.stringify({ job: "clean", host: hostname(), process: 2 ** 22 + 1, outputs: [forged] }),
  );
  await expect(
    writeTogether("clean", async (options) => {
      await job("new", options, 1);
      throw new Error("no more");
    }),
  ).rejects.toThrow("no more");
  expect(await readFile(mine, "utf8")).toBe("years of work");
});
