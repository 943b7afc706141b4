/** A sweep of trainings of a pico model, each in a process of its own, killed in the middle and begun again. */
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writePico } from "../../test/pico.ts";
import { tbar } from "../../test/terminal.ts";
import { forkModule } from "../process/fork.ts";

let folder: string;
const at = (name: string) => join(folder, name);
const results = async (store: string) => (await readdir(store)).filter((name) => name.endsWith(".json"));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-sweep-kill-"));
  await writePico(at("pico"));
  const recipe = {
    name: "pico",
    title: "Fine-tuned twice",
    reproduces: "nothing",
    seeds: [1, 2],
    cells: [1, 2].map((epochs) => ({ name: `epochs-${epochs}`, epochs, model: at("pico") })),
    steps: [
      { id: "first", job: "finetune", spec: training(`\${cell.model}`, `\${cell.epochs}`) },
      { id: "second", job: "finetune", spec: training(`\${steps.first.out}`, 1) },
    ],
    table: { figures: [{ name: "CA", value: "steps.second.after" }, { name: "gain", value: "steps.second.after", minus: "steps.first.after" }] }, // biome-ignore format: one line
  };
  await writeFile(at("pico.yaml"), JSON.stringify(recipe));
  await writeFile(at("short.yaml"), JSON.stringify({ ...recipe, seeds: [1] }));
});
afterAll(() => rm(folder, { recursive: true }));

function training(model: string, epochs: string | number) {
  const seed = `\${seed}`;
  return { model, data: "shapes:texture", images: 256, testImages: 64, seed, recipe: { epochs, batch: 16, lr: 1e-3 } };
}

test("killed with SIGKILL and run again: what was finished is not repeated, and all results are those of an undisturbed run", async () => {
  const store = at("killed");
  const parent = forkModule("sweep-parent", new URL("../../test/pico.ts", import.meta.url).href, {
    args: [at("short.yaml"), store],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  while (!existsSync(store) || (await results(store)).length < 1) await wait(20);
  parent.kill("SIGKILL");
  await wait(1500); // its jobs end with it
  const finished = await results(store);
  expect(finished.length).toBeLessThan(4);
  const before = await Promise.all(finished.map((name) => readFile(join(store, name), "utf8")));

  const again = await tbar(["sweep", "run", at("short.yaml"), "--store", store, "--jobs", "2", "--json"]);
  expect(again.code, again.err).toBe(0);
  const { ran, cells } = JSON.parse(again.out);
  expect(ran).toBe(4 - finished.length);
  expect(cells).toHaveLength(2);
  expect(await Promise.all(finished.map((name) => readFile(join(store, name), "utf8")))).toEqual(before);
  expect((await readdir(store)).filter((name) => !name.endsWith(".json"))).toEqual([]);

  await tbar(["sweep", "run", at("short.yaml"), "--store", at("whole"), "--jobs", "2"]);
  expect((await results(at("whole"))).sort()).toEqual((await results(store)).sort());
  for (const name of await results(store)) {
    const [one, other] = await Promise.all([store, at("whole")].map(async (from) => JSON.parse(await readFile(join(from, name), "utf8")).result)); // biome-ignore format: one line
    expect([one.before, one.after]).toEqual([other.before, other.after]);
  }
}, 120_000);

test("status, table and --dry-run on the command line", async () => {
  const store = at("commands");
  const asked = [at("pico.yaml"), "--store", store];
  const dry = await tbar(["sweep", "run", ...asked, "--dry-run"]);
  expect(dry.out, dry.err).toContain("4 cells and seeds: 0 results in the store, 8 steps to run");
  expect(dry.out).toMatch(/first, 4 times/);
  const status = await tbar(["sweep", "status", ...asked]);
  expect(status.out).toContain("0 done, 0 failed, 4 left");
  const one = await tbar(["sweep", "run", ...asked, "--only", "epochs-1", "--jobs", "2"]);
  expect(one.code, one.err).toBe(0);
  expect(one.err).toContain("sweep\n");
  expect((await tbar(["sweep", "status", ...asked])).out).toContain("2 done, 0 failed, 2 left");
  const table = await tbar([
    "sweep",
    "table",
    ...asked,
    "--out",
    at("table.json"),
    "--html",
    at("table.html"),
    "--json",
  ]);
  expect(table.code, table.err).toBe(0);
  const { rows, left, machines } = JSON.parse(table.out);
  expect(left).toBe(2);
  expect(machines).toHaveLength(1);
  expect(rows.map(({ what }: { what: string }) => what)).toEqual([
    "epochs-1, seed 1: CA",
    "epochs-1, seed 1: gain",
    "epochs-1, seed 2: CA",
    "epochs-1, seed 2: gain",
    "epochs-1, mean of 2: CA",
    "epochs-1, mean of 2: gain",
  ]);
  expect(JSON.parse(await readFile(at("table.json"), "utf8")).rows).toEqual(rows);
  expect(await readFile(at("table.html"), "utf8")).toContain("<svg");
  const wrong = await tbar(["sweep", "run", at("pico.yaml"), "--store", store, "--only", "epochs-9"]);
  expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining('unknown cell "epochs-9"')]);
}, 120_000);

test("a failing cell: exit code 1, its message, and the others are done", async () => {
  const text = await readFile(at("pico.yaml"), "utf8");
  const [, second] = JSON.parse(text).cells;
  await writeFile(
    at("bad.yaml"),
    text.replace(
      JSON.stringify(second),
      JSON.stringify({ ...second, name: "broken", seeds: [1], model: at("nowhere") }),
    ),
  );
  const said = await tbar(["sweep", "run", at("bad.yaml"), "--store", at("commands"), "--only", "broken,epochs-1"]);
  expect(said.code).toBe(1);
  expect(said.out).toContain("pico: 2 of 3 cells and seeds are done");
  expect(said.out).toMatch(/Failed: broken, seed 1: .*step first of broken, seed 1: .*nowhere/);
  const status = await tbar(["sweep", "status", at("bad.yaml"), "--store", at("commands")]);
  expect(status.out).toMatch(/broken +seed 1 +failed +first, second: .*nowhere/);
}, 120_000);
