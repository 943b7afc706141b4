/**
 * Every command that writes, killed (SIGKILL) before each of its disk operations and run again by the same words. Writes results/bench/kill.json.
 * Run: npm run test:kill [-- LANES [FOLDER]]; half an hour of two cores. What is done is kept in FOLDER: the same command goes on from there.
 */
import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { row, writeResults } from "../../bench/results.ts";
import { jobs } from "./jobs.ts";
import type { Killings } from "./killed.ts";

const [lanes = "2", folder = "runs/kill"] = process.argv.slice(2);
const count = Number(lanes);
const rows: ReturnType<typeof row>[] = [];
const all: Killings[] = [];
for (const { name } of jobs) {
  const parts = await Promise.all(Array.from({ length: count }, (_, lane) => killings(name, lane)));
  all.push(...parts);
  const killed = parts.reduce((sum, one) => sum + one.killed, 0);
  const operations = Math.min(...parts.map((one) => one.operations)); // pull fetches side by side: now and then one more
  rows.push(row(`${name}: disk operations`, operations, [operations, operations]));
  rows.push(row(`${name}: killed before them`, killed, [killed, killed], { op: ">=", limit: operations }));
  console.log(`${name}: ${killed} of ${operations}`);
  for (const what of parts.flatMap(({ halfWritten, notResumed }) => [...halfWritten, ...notResumed]))
    console.log(`  ${what}`);
}
const sum = (of: (one: Killings) => number) => all.reduce((total, one) => total + of(one), 0);
const [killed, half, lost] = [
  sum((one) => one.killed),
  sum((one) => one.halfWritten.length),
  sum((one) => one.notResumed.length),
];
writeResults("kill", {
  command: "npm run test:kill",
  seeds: [1],
  reference: null,
  rows: [
    row("kills", killed, [killed, killed]),
    row("half-written outputs after a kill", half, [half, half], { op: "<=", limit: 0 }),
    row("outputs that the same command did not give with equal bits", lost, [lost, lost], { op: "<=", limit: 0 }),
    ...rows,
  ],
});
process.exitCode = half + lost === 0 ? 0 : 1;

async function killings(name: string, lane: number): Promise<Killings> {
  const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  const kept = join(folder, `${commit}-${name.replaceAll(/\W/g, "-")}-${lane}-of-${count}.json`);
  try {
    return JSON.parse(readFileSync(kept, "utf8"));
  } catch {
    // not done yet
  }
  const words = ["node_modules/jiti/lib/jiti-cli.mjs", "test/kill/lane.ts", name, String(lane), String(count)];
  const { stdout } = await promisify(execFile)(process.execPath, words, { maxBuffer: 2 ** 26 });
  mkdirSync(folder, { recursive: true });
  writeFileSync(kept, stdout);
  return JSON.parse(stdout);
}
