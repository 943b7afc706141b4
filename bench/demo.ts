/**
 * The main job as a stranger runs it: `npm run demo` in a fresh process, timed, its figures held against their bars. Run: npm run bench:demo.
 * Seconds are given for a machine whose reference time is 2 s.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CleanResult } from "../src/index.ts";
import { atLeast, atMost, exact, type Row, rated, referenceTime, writeResults } from "./results.ts";

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
const rows: Row[] = [
  exact("seconds, this machine", seconds),
  ...(speed === null ? [] : [exact("seconds, scaled to a reference time of 2 s", (seconds * 2) / speed, atMost(120))]),
  exact("triggered test images, target class left out", after.asr.n, atLeast(1900)),
  rated("ASR before", before.asr, atLeast(0.95)),
  rated(`ASR after (${method}, chosen on validation)`, after.asr, atMost(0.02)),
  rated("CA before", before.ca),
  rated("CA after", after.ca),
  exact(`CA retention (${method})`, retention, atLeast(0.98)),
  ...(after.triggeredAccuracy ? [rated("accuracy on triggered images after", after.triggeredAccuracy)] : []),
  ...Object.entries(variants).flatMap(([name, variant]) => [
    rated(`${name}: ASR after`, variant.after.asr),
    exact(`${name}: CA retention`, variant.retention),
  ]),
];
writeResults("demo", { command: "npm run bench:demo", seeds: [seed], rows, reference: speed });
