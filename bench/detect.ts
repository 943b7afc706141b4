/**
 * One step of DECREE on the embedded model, batch 32: stamp, image tower forward and backward to the pixels, pull back to mask and
 * pattern, Adam; against the same step in PyTorch on the same weights, images and start, in interleaved rounds. Both walk the same way:
 * the cosine after all rounds is compared. Run: npm run bench:detect. Needs Python with torch and transformers (TBAR_PYTHON).
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { descendAlone, named } from "../src/detectors/descend.ts";
import { mask } from "../src/detectors/forms/mask.ts";
import { alike } from "../src/detectors/losses.ts";
import { loadClip } from "../src/engine/clip.ts";
import { stampGradients } from "../src/engine/pixel-gradients.ts";
import { openSource } from "../src/jobs/inputs/source.ts";
import { adam } from "../src/optim/adam.ts";
import { random } from "../src/tensor/random.ts";
import { peer } from "./peer.ts";
import { atMost, exact, median, python, rated, referenceTime, writeResults } from "./results.ts";

const threads = 2;
const batch = 32;
const rounds = Number(process.env.ROUNDS ?? 25);
const folder = "models/shapes";

const clip = await loadClip(folder, { threads });
const S = clip.config.vision.imageSize;
const { images } = await (await openSource("shapes", { seed: 1 })).sets({ images: batch });
const pixels = await images.read(Array.from({ length: batch }, (_, i) => i), clip.preprocess); // biome-ignore format: one line
const form = mask(S, () => 3e-3);
const parameters = form.start(random(1, "bench"));
const optimizer = adam({ betas: [0.5, 0.9] });
const state = optimizer.init(named(parameters));
const engine = stampGradients(clip, clip.weights, alike, form.graph.stamp);
let cosine = 0;
async function step(): Promise<void> {
  const { outputs, gradients } = await descendAlone(engine, { form, parameters }, pixels, {});
  form.penalty?.(parameters, gradients[0]);
  optimizer.update(named(parameters), named(gradients[0]), state, 0.5);
  [cosine] = outputs.cosine.data;
}

const scratch = mkdtempSync(join(tmpdir(), "tbar-bench-"));
const inputs = join(scratch, "inputs.f32");
const bytes = ({ buffer, byteOffset, byteLength }: Float32Array) => new Uint8Array(buffer, byteOffset, byteLength);
writeFileSync(inputs, Buffer.concat([bytes(pixels.data), bytes(parameters)]));
const args = [String(threads), folder, String(batch), inputs];
const pytorch = await peer(python, ["bench/peers/decree.py", ...args]);

// the first step of both compiles and warms up; its cosine is of the same mask and pattern
await step();
await pytorch.ask("step");
const apart = Math.abs(cosine - (await pytorch.ask("cosine")));
const mine: number[] = [];
const theirs: number[] = [];
for (let round = 0; round < rounds; round++) {
  const start = performance.now();
  await step();
  mine.push(performance.now() - start);
  theirs.push(await pytorch.ask("step"));
  console.error(`${round + 1}/${rounds}: ${mine[round].toFixed(0)} ms, PyTorch ${theirs[round].toFixed(0)} ms`);
}
const ended = Math.abs(cosine - (await pytorch.ask("cosine")));
pytorch.stop();
rmSync(scratch, { recursive: true });
await engine.release();
await clip.runtime.release();
const what = "DECREE step on the embedded model, batch 32";
writeResults("detect", {
  command: "npm run bench:detect",
  seeds: [1],
  rows: [
    rated(`${what}: time / PyTorch's`, median(mine.map((ms, i) => ms / theirs[i])), atMost(1)),
    rated(`${what}: ms`, median(mine)),
    rated(`${what}: ms, PyTorch ${pytorch.version}`, median(theirs)),
    exact(`${what}: mean cosine, difference from PyTorch's at the start`, apart, atMost(1e-4)),
    exact(`${what}: the same after ${rounds + 1} steps`, ended),
  ],
  reference: referenceTime(),
});
process.exit(0);
