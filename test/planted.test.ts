/** Detectors on a pico CLIP in which a corner patch was planted, beside the same model fine-tuned on the same images without it. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { badnet } from "../src/attacks/badnet.ts";
import type { DetectorInput, Images } from "../src/detectors/detector.ts";
import { detectorsNamed } from "../src/detectors/index.ts";
import { finetune } from "../src/engine/finetune.ts";
import { underHead } from "../src/engine/tasks.ts";
import { classify } from "../src/engine/zero-shot.ts";
import type { Weights } from "../src/tensor/tensor.ts";
import { poison } from "../src/triggers/poison.ts";
import { picoAttack } from "./pico-attack.ts";

const target = "striped";
let [clean, backdoored]: DetectorInput[] = [];
let base: DetectorInput["base"];
beforeAll(async () => {
  const { clip, weights: start, head, classNames, clean: images } = await picoAttack(256, target);
  const recipe = { lr: 0.01, epochs: 12, batch: 32, warmup: 0.1, weightDecay: 0, clip: 1, seed: 1 };
  const trigger = badnet({ kind: "badnet", seed: 1, size: 5, place: "bottom-right" });
  const poisoned = poison(images, { trigger, target, rate: 0.3, seed: 1 });
  const inputOf = async (set: typeof images): Promise<DetectorInput> => {
    const weights: Weights = await finetune(clip, start, underHead(clip, set, head, recipe), recipe);
    const of = async (from: number, to: number): Promise<Images> => {
      const ids = Array.from({ length: to - from }, (_, i) => from + i);
      const pixels = await images.read(ids, clip.preprocess);
      return { pixels, answers: classify(await clip.encoder.images(weights, pixels), head) };
    };
    return { suspect: { clip, weights, head }, classNames, fit: await of(0, 48), held: await of(48, 112), seed: 1 };
  };
  base = { clip, weights: start, head };
  [clean, backdoored] = [await inputOf(images), await inputOf(poisoned)];
});
afterAll(() => clean.suspect.clip.runtime.release());

it.each(["fitted-patch", "random-place", "fitted-warp", "neural-cleanse", "clip-inspector"])(
  "%s names the target, and says more of the backdoored model than of the clean one",
  async (name) => {
    const [detector] = detectorsNamed([name]);
    const found = await detector.run(backdoored);
    expect(backdoored.classNames[found.suspects[0].label]).toBe(target);
    expect(found.statistic).toBeGreaterThan(1.5 * (await detector.run(clean)).statistic);
  },
);

it("amplified-patch names the target on the weights carried beyond the base's, and shows how far its square carries on the suspect's", async () => {
  const [detector] = detectorsNamed(["amplified-patch"]);
  const on = (input: DetectorInput) => detector.run({ ...input, base });
  const [found, ofClean] = [await on(backdoored), await on(clean)];
  expect(backdoored.classNames[found.suspects[0].label]).toBe(target);
  expect(found.suspects[0].asr?.value).toBeGreaterThan(0.5);
  expect(found.facts?.k).toBeGreaterThan(1);
  expect(found.statistic).toBeGreaterThan(1.5 * ofClean.statistic);
  await expect(detector.run(backdoored)).rejects.toThrow("--base MODEL");
});

it("a suspect that is its own base is not carried anywhere", async () => {
  const { facts } = await detectorsNamed(["amplified-patch"])[0].run({ ...clean, base: clean.suspect });
  expect(facts).toMatchObject({ k: 2, agreement: 1 });
});

it("collapse, which is given no target, ends in it", async () => {
  const [{ suspects }] = [await detectorsNamed(["collapse"])[0].run(backdoored)];
  expect(backdoored.classNames[suspects[0].label]).toBe(target);
  expect(suspects[0].asr?.value).toBeGreaterThan(0.8);
});
