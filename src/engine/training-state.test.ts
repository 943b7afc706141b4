/** The state of a training that somebody changed. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeSafetensors } from "../checkpoint/formats/safetensors.ts";
import { tensor, type Weights } from "../tensor/tensor.ts";
import { readState, writeState } from "./training-state.ts";

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-state-"));
  path = join(folder, "state.safetensors");
});
afterEach(() => rm(folder, { recursive: true }));

const recipe = "this run";
const values = (...numbers: number[]) => tensor([numbers.length], new Float32Array(numbers));
const start: Weights = new Map([["a", values(1, 2)], ["b", values(3)]]); // biome-ignore format: one line
const one = (name: string, ...numbers: number[]) => new Map([[name, values(...numbers)]]);
const sound = () => ({
  seconds: 1.5,
  weights: one("a", 5, 6) as Weights,
  state: { step: 3, moments: { m: one("a", 0.1, -0.1), v: one("a", 0, 0.2) } },
});
const read = (steps = 10) => readState({ path, recipe }, start, steps);

test("what was written is read again; a finished training has no moments", async () => {
  expect(await read()).toBeUndefined();
  await writeState({ path, recipe }, sound());
  expect(await read()).toEqual(sound());
  await writeState({ path, recipe }, { ...sound(), state: { step: 10, moments: {} } });
  expect((await read())?.state).toEqual({ step: 10, moments: {} });
});

test.each([
  [
    "another recipe",
    () => readState({ path, recipe: "that run" }, start, 10),
    /is the state of another run \(this run\)/,
  ],
  ["more steps than there are", () => read(2), /was left after step 3 of 2/],
] as const)("%s is refused", async (_, again, message) => {
  await writeState({ path, recipe }, sound());
  await expect(again()).rejects.toThrow(message);
});

test.each([
  ["a value that is none", { weights: one("a", Number.NaN, 1) }, /holds NaN/],
  [
    "an endless value",
    { state: { step: 3, moments: { m: one("a", 0, 1), v: one("a", 1, Infinity) } } },
    /holds Infinity/,
  ],
  ["a tensor of another model", { weights: one("c", 1) }, /it holds "weights\/c"/],
  ["another shape", { weights: one("a", 1, 2, 3) }, /weights\/a is F32 \[3\], not F32 \[2\]/],
  ["moments of another kind", { state: { step: 3, moments: { w: one("a", 0, 1) } } }, /it holds "w\/a"/],
  ["one moment of two", { state: { step: 3, moments: { m: one("a", 0, 1) } } }, /it has not all moments of a/],
  ["a square below zero", { state: { step: 3, moments: { m: one("a", 0, 1), v: one("a", 1, -1) } } }, /below zero/],
  ["moments without what they moved", { weights: new Map() }, /the moments of a, and not what they moved/],
  ["half a step", { state: { step: 2.5, moments: sound().state.moments } }, /after step 2\.5/],
  ["a step before the first", { state: { step: -1, moments: sound().state.moments } }, /after step -1/],
  ["no time", { seconds: Number.NaN }, /it took NaN seconds/],
])("%s is refused by name", async (_, change, message) => {
  await writeState({ path, recipe }, { ...sound(), ...change });
  await expect(read()).rejects.toMatchObject({ code: "bad-input", message: expect.stringMatching(message) });
});

test("another type, no step, and a file cut short are refused", async () => {
  const metadata = new Map([["recipe", recipe], ["step", "1"], ["seconds", "1"]]); // biome-ignore format: one line
  const tensors = [{ name: "weights/a", dtype: "F16" as const, shape: [2], data: () => values(1, 2) }];
  await writeSafetensors(path, { tensors, metadata }, { force: true });
  await expect(read()).rejects.toThrow(/weights\/a is F16 \[2\], not F32 \[2\]/);
  metadata.delete("step");
  await writeSafetensors(path, { tensors: [], metadata }, { force: true });
  await expect(read()).rejects.toThrow(/after step NaN/);
  await writeState({ path, recipe }, sound());
  const whole = await readFile(path);
  for (const length of [0, 7, 100, whole.length - 1]) {
    await writeFile(path, whole.subarray(0, length));
    await expect(read()).rejects.toMatchObject({ code: "bad-input" });
  }
});
