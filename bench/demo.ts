/**
 * The main job as a stranger runs it: `npm run demo` in a fresh process, timed, its figures held against their bars. Run: npm run bench:demo.
 * Seconds are given for a machine whose reference time is 2 s.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CleanResult } from "../src/index.ts";
import { type Row, referenceTime, row, writeResults } from "./results.ts";

const folder = mkdtempSync(join(tmpdir(), "tbar-demo-"));
const references = [referenceTime()];
const started = performance.now();
const { status, stdout } = spawnSync(
  process.execPath,
  ["dist/cli/main.js", "demo", "--json", "--out", join(folder, "demo")],
  { encoding: "utf8", maxBuffer: 2 ** 28, stdio: ["ignore", "pipe", "inherit"] },
);
const seconds = (performance.now() - started) / 1000;
references.push(referenceTime());
rmSync(folder, { recursive: true });
if (status !== 0) throw new Error(`the demo ended with exit code ${status}`);

const { before, after, retention, method, variants, seed } = JSON.parse(stdout) as CleanResult;
const known = references.filter((value) => value !== null);
const speed = known.length === 0 ? null : known.reduce((a, b) => a + b) / known.length;
const exact = (value: number): [number, number] => [value, value];
const rows: Row[] = [
  row("seconds, this machine", seconds, exact(seconds)),
  ...(speed === null
    ? []
    : [
        row("seconds, scaled to a reference time of 2 s", (seconds * 2) / speed, exact((seconds * 2) / speed), {
          op: "<=",
          limit: 180,
        }),
      ]),
  row("triggered test images, target class left out", after.asr.n, exact(after.asr.n), { op: ">=", limit: 1900 }),
  row("ASR before", before.asr.value, before.asr.interval, { op: ">=", limit: 0.95 }),
  row(`ASR after (${method}, chosen on validation)`, after.asr.value, after.asr.interval, { op: "<=", limit: 0.02 }),
  row("CA before", before.ca.value, before.ca.interval),
  row("CA after", after.ca.value, after.ca.interval),
  row(`CA retention (${method})`, retention, exact(retention), { op: ">=", limit: 0.98 }),
  ...(after.triggeredAccuracy === undefined
    ? []
    : [row("accuracy on triggered images after", after.triggeredAccuracy.value, after.triggeredAccuracy.interval)]),
  ...Object.entries(variants).flatMap(([name, variant]) => [
    row(`${name}: ASR after`, variant.after.asr.value, variant.after.asr.interval),
    row(`${name}: CA retention`, variant.retention, exact(variant.retention)),
  ]),
];
writeResults("demo", { command: "npm run bench:demo", seeds: [seed], rows, reference: speed });
