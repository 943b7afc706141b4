/** What makes a result another one, and what does not. */
import { cp, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { writePico } from "../../test/pico.ts";
import { option } from "../jobs/fields.ts";
import { finetune } from "../jobs/finetune/job.ts";
import { jobs } from "../jobs/index.ts";
import { job, type SpecOf } from "../jobs/job.ts";
import { fieldsOf, parseSpec } from "../jobs/spec.ts";
import { addressOf, canonicalJson, hashOf } from "./address.ts";

let folder: string;
const at = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-address-"));
  await writePico(at("pico"));
  await cp(at("pico"), at("copy"), { recursive: true });
  await writePico(at("other"), 2);
  await writeFile(at("classes.txt"), "one\ntwo\n");
  await writeFile(at("same.txt"), "one\ntwo\n");
});
afterAll(() => rm(folder, { recursive: true }));

const hash = async (asked: Partial<SpecOf<typeof finetune>>, made?: ReadonlyMap<string, string>) =>
  hashOf(await addressOf(finetune, parseSpec(finetune, { model: at("pico"), data: "shapes", ...asked }), made));

test("canonical JSON: keys in order, nothing else changes", () => {
  expect(canonicalJson({ b: [1, { d: null, c: "x" }], a: undefined, B: 1e-7 })).toBe(
    '{"B":1e-7,"b":[1,{"c":"x","d":null}]}',
  );
});

test("the same: defaults said or left out, another place of the same model or file, threads, device, out", async () => {
  const usual = await hash({});
  expect(usual).toMatch(/^[0-9a-f]{64}$/);
  expect(await hash({ images: 8000, seed: 1, recipe: { warmup: 0.1 } })).toBe(usual);
  expect(await hash({ model: at("copy") })).toBe(usual);
  expect(await hash({ threads: 7, out: at("out"), force: true })).toBe(usual);
  expect(await hash({ classesFile: at("classes.txt") })).toBe(await hash({ classesFile: at("same.txt") }));
});

test("another: each value of the spec, the model's content, the file's", async () => {
  const all = await Promise.all([
    hash({}),
    hash({ images: 8001 }),
    hash({ seed: 2 }),
    hash({ recipe: { lr: 1e-3 } }),
    hash({ data: "shapes:shape" }),
    hash({ model: at("other") }),
    hash({ classesFile: at("classes.txt") }),
    hash({ model: at("nowhere") }),
    hash({ model: at("nowhere") }, new Map([[at("nowhere"), "made by a"]])),
    hash({ model: at("nowhere") }, new Map([[at("nowhere"), "made by b"]])),
  ]);
  expect(new Set(all).size).toBe(all.length);
});

test("an option that is off by default and off is as one that there is not yet; on, or off where it is on by default, it counts", async () => {
  const { spec } = await addressOf(finetune, parseSpec(finetune, { model: at("pico"), data: "shapes" }));
  expect(Object.keys(spec)).not.toContain("skipBad");
  expect(await hash({ skipBad: true })).not.toBe(await hash({}));
  const toggle = job({
    ...{ name: "toggle", about: "", examples: [], result: finetune.result },
    spec: z.strictObject({
      on: option(z.boolean().default(true), "x"),
      names: option(z.array(z.string()).default([]), "y"),
    }),
    run: async () => ({}) as never,
  });
  expect((await addressOf(toggle, { on: false, names: [] })).spec).toEqual({ on: false });
});

test("a file that changes is another", async () => {
  const before = await hash({ classesFile: at("same.txt") });
  await writeFile(at("same.txt"), "one\nsix\n");
  await utimes(at("same.txt"), 1, 1);
  expect(await hash({ classesFile: at("same.txt") })).not.toBe(before);
});

/** Words in angle brackets that stand for something on disk. */
const onDisk = ["path", "file", "folder", "model", "models"];

test.each(Object.keys(jobs))(
  "%s: an option that names something on disk says so, for its content to count",
  async (name) => {
    const fields = fieldsOf((await jobs[name].load()).spec);
    const silent = fields.filter(
      ({ flag }) => onDisk.includes(flag.value ?? "") && !flag.machine && flag.names === undefined,
    );
    expect(silent.map(({ path }) => path.join("."))).toEqual([]);
  },
);
