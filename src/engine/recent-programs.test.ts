import { expect, test } from "vitest";
import type { Runtime } from "../runtime/compile.ts";
import type { Program } from "../runtime/executor.ts";
import { recentPrograms } from "./recent-programs.ts";

/** A runtime that tells what is compiled and freed, and programs that end when they are told. */
function watched(most: number) {
  const told: string[] = [];
  const running: (() => void)[] = [];
  const runtime = { apart: () => ({ release: async () => void told.push("freed") }) } as unknown as Runtime;
  const recent = recentPrograms(runtime, most);
  const run = (key: string, waits = false) => {
    const compile = async (): Promise<Program> => {
      told.push(`compiled ${key}`);
      const run = async () => {
        if (waits) await new Promise<void>((end) => running.push(end));
        return {};
      };
      return { inputs: [], outputs: [], run, release: async () => {} };
    };
    return recent.run(key, compile, {});
  };
  return { run, told, running };
}

test("the program longest unused is freed before another is compiled; one that is asked for again is there", async () => {
  const { run, told } = watched(2);
  for (const key of ["a", "b", "a", "c", "a", "b"]) await run(key);
  expect(told).toEqual(["compiled a", "compiled b", "freed", "compiled c", "freed", "compiled b"]);
});

test("of one at a time none is kept beside another", async () => {
  const { run, told } = watched(1);
  for (const key of ["a", "a", "b", "a"]) await run(key);
  expect(told).toEqual(["compiled a", "freed", "compiled b", "freed", "compiled a"]);
});

test("none is freed while it runs", async () => {
  const { run, told, running } = watched(1);
  const first = run("a", true);
  await expect.poll(() => running.length).toBe(1);
  await run("b");
  expect(told).toEqual(["compiled a", "compiled b"]);
  running[0]();
  await first;
  await run("c");
  expect(told.slice(2)).toEqual(["freed", "freed", "compiled c"]);
});
