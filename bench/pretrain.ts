/**
 * How fast `tbar pretrain` trains the embedded model, and how good the shipped one is. Run: npm run bench:pretrain. Images a second are
 * given for a machine whose reference time is 2 s as well.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { evaluate, pretrain, shapesModel } from "../src/index.ts";
import { atLeast, exact, rated, referenceTime, writeResults } from "./results.ts";

const { ca } = await evaluate({ model: shapesModel, data: "shapes", threads: 2 });

const out = mkdtempSync(join(tmpdir(), "tbar-pretrain-"));
const steps = 60;
const stamps: number[] = [];
const speed = referenceTime();
const progress = { stage: () => {}, step: () => void stamps.push(performance.now()) };
const { images } = await pretrain({ data: "shapes", steps, out: join(out, "model"), threads: 2 }, { progress });
rmSync(out, { recursive: true });
// the first steps compile their programs
const [from, to] = [10, Math.min(steps, stamps.length) - 1];
const rate = ((images / steps) * (to - from) * 1000) / (stamps[to] - stamps[from]);
writeResults("pretrain", {
  command: "npm run bench:pretrain",
  seeds: [1],
  reference: speed,
  rows: [
    rated("models/shapes: zero-shot accuracy, 100 classes", ca, atLeast(0.95)),
    exact("pre-training, images a second, this machine", rate),
    ...(speed === null
      ? []
      : [exact("pre-training, images a second, reference time 2 s", (rate * speed) / 2, atLeast(200))]),
  ],
});
