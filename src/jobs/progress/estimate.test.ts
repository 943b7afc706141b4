/** What --dry-run says of memory, beside what the job takes in a process of its own. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { writePico } from "../../../test/pico.ts";
import { shapesModel } from "../inputs/embedded.ts";

const run = new URL("../../../dist/cli/run.js", import.meta.url).href;
/** The peak in bytes, and what was printed. */
const script = `
  const { run } = await import(${JSON.stringify(run)});
  const said = [];
  const silent = { write: () => {} };
  await run(process.argv.slice(1), { out: { write: (text) => said.push(text) }, err: silent, signal: new AbortController().signal });
  console.log(JSON.stringify({ peak: process.resourceUsage().maxRSS * 1024, said: said.join("") }));
`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-memory-"));
  await writePico(join(folder, "pico"));
});
afterAll(() => rm(folder, { recursive: true }));

async function inProcess(line: string): Promise<{ readonly peak: number; readonly said: string }> {
  const argv = line.split(" ").map((word) => word.replace(/^\.\//, `${folder}/`).replace("_", " "));
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script, "--", ...argv]);
  return JSON.parse(stdout);
}

const world = "--data shapes --threads 1 --json";
// of a pico most is the process itself, which differs between machines
it.skipIf(!existsSync(new URL(run)) || !existsSync(shapesModel)).each([
  ["eval --model ./pico --test 600", 0.7, 1.5],
  ["eval --model shapes --test 200", 0.8, 1.3],
  [
    "attack badnet --model shapes --target red_circle --images 128 --epochs 1 --batch 64 --test 64 --out ./bad",
    0.8,
    1.3,
  ],
])("tbar %s: memory within %d and %d of what it takes", async (line, least, most) => {
  const { said } = await inProcess(`${line} ${world} --dry-run`);
  const { peak } = await inProcess(`${line} ${world}`);
  const ratio = JSON.parse(said).memory.needed / peak;
  expect(ratio).toBeGreaterThan(least);
  expect(ratio).toBeLessThan(most);
});
