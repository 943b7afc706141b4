/** Examples are code: each runs, on the package as it is built. */
import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const run = promisify(execFile);
const examples = readdirSync("examples").filter((name) => name.endsWith(".ts"));

test("every name of the library has an example", () => {
  const expected = ["attack", "clean", "embed", "evaluate", "vector"].map((name) => `${name}.ts`);
  expect(expected.filter((name) => !examples.includes(name))).toEqual([]);
});

test.skipIf(!existsSync("dist/index.js")).each(examples)(
  "examples/%s runs",
  async (name) => {
    const { stdout } = await run("npx", ["jiti", `examples/${name}`], { timeout: 240_000 });
    expect(stdout.length).toBeGreaterThan(20);
  },
  240_000,
);
