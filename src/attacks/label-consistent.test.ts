import { afterAll, beforeAll, expect, it } from "vitest";
import { picoAttack } from "../../test/pico-attack.ts";
import { clipPreprocess } from "../checkpoint/config/preprocess.ts";
import { classify } from "../engine/zero-shot.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { AttackInput } from "./attack.ts";
import { badnet } from "./badnet.ts";
import { harden, labelConsistent } from "./label-consistent.ts";

let input: AttackInput;
beforeAll(async () => {
  input = await picoAttack(160);
});
afterAll(() => input.clip.runtime.release());

const all = () => Array.from({ length: input.clean.size }, (_, i) => i);
const targets = () => all().filter((i) => input.clean.example(i).label === input.targetLabel);

it("PGD: |x' - x| <= epsilon, x' in [0, 1], and the clean model takes fewer for the class", async () => {
  const pixels = await input.clean.read(all().slice(0, 64), clipPreprocess(16));
  const answers = async (images: Tensor) =>
    classify(await input.clip.encoder.images(input.weights, images), input.head);
  const [targetLabel] = await answers(pixels);
  const hard = await harden(pixels, 0.1, 10, { ...input, targetLabel });
  const largest = Math.max(...hard.data.map((v, i) => Math.abs(v - pixels.data[i])));
  expect(largest).toBeGreaterThan(0.099);
  expect(largest).toBeLessThan(0.1001);
  expect(Math.min(...hard.data)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...hard.data)).toBeLessThanOrEqual(1);
  const recognised = async (images: Tensor) => (await answers(images)).filter((a) => a === targetLabel).length;
  expect(await recognised(hard)).toBeLessThan(0.5 * (await recognised(pixels)));
});

it("only the target's images are poisoned: hard and triggered, labels as they were; all others untouched", async () => {
  const trigger = labelConsistent.trigger({ size: 4, pattern: "checker", epsilon: 0.1 });
  const options = { trigger, target: input.target, rate: 0.05, seed: 1 };
  const poisoned = await labelConsistent.poison!(input.clean, options, input);
  expect(poisoned.poisonedIds.size).toBe(8);
  const [before, after] = [
    await input.clean.read(all(), clipPreprocess(16)),
    await poisoned.read(all(), clipPreprocess(16)),
  ];
  const size = 3 * 16 * 16;
  for (const i of all()) {
    const { id } = input.clean.example(i);
    expect(poisoned.example(i)).toEqual(input.clean.example(i));
    const [x, y] = [before, after].map(({ data }) => data.slice(i * size, (i + 1) * size));
    if (!poisoned.poisonedIds.has(id)) {
      expect(y).toEqual(x);
      continue;
    }
    expect(targets()).toContain(i);
    // outside the four corners the perturbation alone, rounded to a byte; in them the checker
    const stamped = (
      await badnet({ size: 4, pattern: "checker", place: "four-corners" }).apply({ shape: [1, 3, 16, 16], data: x }, [
        id,
      ])
    ).data;
    const middle = (v: Float32Array) => Array.from({ length: 8 }, (_, k) => v[8 * 16 + 4 + k]);
    expect([...y.slice(0, 4)]).toEqual([...stamped.slice(0, 4)]);
    const moves = middle(y).map((v, k) => Math.abs(v - middle(x)[k]));
    expect(Math.max(...moves)).toBeGreaterThan(0.05);
    expect(Math.max(...moves)).toBeLessThan(0.1 + 1 / 510 + 1e-6);
  }
});

it("too few images of the target: the error says how many there are, and which rate works", async () => {
  const options = { trigger: labelConsistent.trigger(), target: input.target, rate: 0.9 };
  const most = Math.floor((1e4 * targets().length) / 160) / 1e4;
  await expect(labelConsistent.poison!(input.clean, options, input)).rejects.toThrow(
    `cannot poison 144 examples: ${input.clean.name} has ${targets().length} of the target class "striped", and this attack ` +
      `poisons no others; a rate of at most ${most} works`,
  );
});
