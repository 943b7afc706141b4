/**
 * A map of the weight disentanglement error, counted once more by PyTorch: scripts/golden/xi.py makes the figures of test/golden/files/xi.json
 * from what this test writes into the folder TBAR_XI. Images, weights and vectors are seeded.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadClip } from "../../src/engine/clip.ts";
import { zeroShotHead } from "../../src/engine/zero-shot.ts";
import { openSource } from "../../src/jobs/inputs/source.ts";
import { runJob } from "../../src/jobs/run-job.ts";
import { writeVector } from "../../src/jobs/vector/vector-file.ts";
import { xi } from "../../src/jobs/xi/job.ts";
import { prepare } from "../../src/jobs/xi/prepare.ts";
import { xiSpec } from "../../src/jobs/xi/spec.ts";
import { labelsOf } from "../../src/metrics/accuracy.ts";
import { random } from "../../src/tensor/random.ts";
import type { Tensor, Weights } from "../../src/tensor/tensor.ts";
import { writePico } from "../pico.ts";

/** Noise on every tensor of the image tower, three tenths of its own deviation. */
function noise(weights: Weights, name: string): Weights {
  const vision = [...weights].filter(([tensor]) => /^(vision_model|visual_projection)/.test(tensor));
  return new Map(
    vision.map(([tensor, { shape, data }]) => {
      const made = new Float32Array(data.length);
      random(5, name, tensor).fillNormal(made);
      const by = 0.3 * Math.sqrt(data.reduce((sum, v) => sum + v * v, 0) / data.length) || 0.01;
      return [tensor, { shape, data: made.map((v) => by * v) }];
    }),
  );
}

test("counts of every place, and the angle, are those of PyTorch", async () => {
  const { TBAR_XI: kept } = process.env;
  const folder = kept ?? (await mkdtemp(join(tmpdir(), "tbar-xi-golden-")));
  await mkdir(folder, { recursive: true });
  const at = (name: string) => join(folder, name);
  await writePico(at("pico"));
  const { weights } = await loadClip(at("pico"), { threads: 1 });
  for (const name of ["c", "t"])
    await writeVector(at(`${name}.safetensors`), { tau: noise(weights, name) }, { force: true });
  const asked = {
    ...{ origin: at("pico"), data: "shapes:background", trigger: "blended:redraw=false,ratio=0.5", target: "mint" },
    ...{ cleanVector: at("c.safetensors"), triggerVector: at("t.safetensors"), testImages: 100, reach: 1, step: 0.5 },
    threads: 1,
  };
  const { counts, vectors } = await runJob(xi, asked);
  if (kept !== undefined) await dump(at, asked);
  else await rm(folder, { recursive: true });
  const golden = JSON.parse(await readFile(new URL("files/xi.json", import.meta.url), "utf8"));
  expect(counts).toEqual(golden.counts);
  expect(vectors.cosine).toBeCloseTo(golden.cosine, 10);
});

/** What PyTorch needs: pixels before normalization, labels, the target, the head. */
async function dump(at: (name: string) => string, asked: object): Promise<void> {
  const spec = xiSpec.parse(asked);
  const clip = await loadClip(at("pico"), { threads: 1 });
  const context = { progress: { stage: () => {}, step: () => {} }, command: "", runtime: async () => clip.runtime };
  const { clean, triggered, targetLabel, classNames } = await prepare(spec, context);
  const { templates } = await openSource(spec.data, spec);
  const bytes = ({ data }: Tensor) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  for (const [name, set] of Object.entries({ clean, triggered }))
    await writeFile(at(`${name}.bin`), bytes(await set.read([...Array(set.size).keys()], clip.preprocess)));
  const head = await zeroShotHead(clip.encoder, clip.weights, classNames, templates);
  const { mean, std } = clip.preprocess;
  const facts = { labels: [...labelsOf(clean)], target: targetLabel, head: [...head.data], classes: classNames.length, mean, std, alphas: [-1, -0.5, 0, 0.5, 1] }; // biome-ignore format: one line
  await writeFile(at("facts.json"), JSON.stringify(facts));
}
