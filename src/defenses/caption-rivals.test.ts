/** What rivals that learn from captions do beside their losses, whose gradients test/golden/rivals.test.ts checks. */
import { expect, test } from "vitest";
import type { Dataset } from "../data/dataset.ts";
import { clampLogitScale } from "../engine/objectives.ts";
import { tensor } from "../tensor/tensor.ts";
import { captionsNeeded, contrastRecipe, imageTowerAlone, learningTowers, mapped } from "./captions.ts";
import type { DefenseInput, Learning } from "./defense.ts";
import { perturbedImages } from "./par.ts";
import { captionPool } from "./roclip.ts";

test("RoCLIP: the pool holds the last captions, first in, first out, and gives the one most like each image", () => {
  const pool = captionPool(3, 2);
  expect(pool.nearest(tensor([1, 2], [1, 0]))).toBeUndefined();
  pool.push(tensor([2, 2], [1, 0, 0, 1]));
  expect([...pool.nearest(tensor([2, 2], [0.6, 0.8, 0.8, 0.6]))!.data]).toEqual([0, 1, 1, 0]);
  pool.push(tensor([2, 2], [-1, 0, 0, -1])); // the first goes
  expect([...pool.nearest(tensor([1, 2], [0.8, 0.6]))!.data]).toEqual([0, 1]);
  expect([...pool.nearest(tensor([1, 2], [-0.8, -0.6]))!.data]).toEqual([-1, 0]);
});

test("PAR: half of the images get brighter by noise, half lose a small square; the rest stays", () => {
  const [B, S] = [200, 32];
  const images = tensor([B, 3, S, S], new Float32Array(B * 3 * S * S).fill(0.9));
  const { data } = perturbedImages(images, { mean: [0.5, 0.4, 0.3], std: [1, 1, 1] }, 1, 2);
  const of = (b: number) => data.subarray(b * 3 * S * S, (b + 1) * 3 * S * S);
  const all = Array.from({ length: B }, (_, b) => of(b));
  const noisy = all.filter((image) => image.some((v) => v > 0.95));
  const erased = all.filter((image) => image.some((v) => v < 0.6));
  for (const some of [noisy, erased]) expect(some.length / B).toBeCloseTo(0.5, 0.7);
  expect(data.every((v) => v <= 1)).toBe(true);
  for (const image of erased) {
    const gone = image.subarray(0, S * S).filter((v) => v === 0.5).length / (S * S);
    expect(gone).toBeGreaterThan(0.003);
    expect(gone).toBeLessThan(0.013);
  }
  const again = perturbedImages(images, { mean: [0.5, 0.4, 0.3], std: [1, 1, 1] }, 1, 2).data;
  expect(again.every((v, i) => v === data[i])).toBe(true); // sooner than toEqual
});

test("batches are changed one by one, counted from where training goes on; the image tower alone learns", async () => {
  async function* numbers(from: number) {
    for (let i = from; i < 4; i++) yield i;
  }
  const task = mapped({ batches: numbers, steps: 4 }, (batch: number, step) => [batch, step]);
  const seen: number[][] = [];
  for await (const one of task.batches(2)) seen.push(one);
  expect(seen).toEqual([[2, 2], [3, 3]]); // biome-ignore format: two batches
  const objective = { trains: () => true, feeds: () => ({}), loss: () => undefined as never };
  const { trains } = imageTowerAlone({ ...task, objective }).objective;
  expect(["visual_projection.weight", "text_projection.weight", "logit_scale"].map(trains)).toEqual([
    true,
    false,
    false,
  ]);
});

test("where a cleaning is by contrast in both towers, both learn, the temperature within CLIP's limit", () => {
  const objective = { trains: () => true, feeds: () => ({}), loss: () => undefined as never };
  async function* none() {}
  const task = { objective, batches: none, steps: 0 };
  const given = (train?: "image" | "both", kind?: "siglip") =>
    ({ clip: { config: { vision: { kind } } }, recipe: { train } }) as unknown as Learning;
  const names = ["visual_projection.weight", "text_projection.weight", "logit_scale"];
  const learns = (learning: Learning) => names.filter(learningTowers(learning, task).objective.trains);
  expect(learns(given())).toEqual(names.slice(0, 1));
  expect(learns(given("image"))).toEqual(names.slice(0, 1));
  expect(learns(given("both"))).toEqual(names);
  expect(learningTowers(given("both"), task).constrain).toBe(clampLogitScale);
  expect(learningTowers(given("both", "siglip"), task).constrain).toBeUndefined();
});

test("no captions: it says what would do; batches are as large as the set allows, at most 64", () => {
  expect(() => captionsNeeded("par", {} as DefenseInput)).toThrow("clean-finetune does with labels");
  const recipe = { lr: 1, epochs: 1, batch: 16, warmup: 0, weightDecay: 0, clip: 1, seed: 1 };
  expect(contrastRecipe(recipe, { size: 48 } as Dataset).batch).toBe(48);
  expect(contrastRecipe(recipe, { size: 480 } as Dataset).batch).toBe(64);
});
