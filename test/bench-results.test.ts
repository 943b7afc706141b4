/** Speed is kept by machine. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { row, writeResults } from "../bench/results.ts";

const folder = mkdtempSync(join(tmpdir(), "tbar-bench-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("writing again replaces this machine's figures and keeps another's", () => {
  vi.stubEnv("TBAR_RESULTS", folder);
  const said = vi.spyOn(console, "log").mockImplementation(() => {});
  const write = (value: number) =>
    writeResults("speed", {
      command: "npm run bench:speed",
      seeds: [],
      rows: [row("speed", value, [value, value])],
      reference: 2,
    });
  const read = () => JSON.parse(readFileSync(join(folder, "speed.json"), "utf8"));
  write(1);
  const { runs } = read();
  expect(runs).toHaveLength(1);
  const other = { ...runs[0], machine: { ...runs[0].machine, processor: "Abacus" } };
  writeFileSync(join(folder, "speed.json"), JSON.stringify({ command: "", runs: [other, ...runs] }));
  write(2);
  expect(read().runs.map(({ machine, rows }: typeof other) => [machine.processor, rows[0].value])).toEqual([
    [runs[0].machine.processor, 2],
    ["Abacus", 1],
  ]);
  said.mockRestore();
  vi.unstubAllEnvs();
});
