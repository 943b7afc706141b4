import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { picoAttack, picoImplant } from "../../test/pico-attack.ts";
import { clipPreprocess } from "../checkpoint/config/preprocess.ts";
import { classify } from "../engine/zero-shot.ts";
import { tensor, type Weights } from "../tensor/tensor.ts";
import type { AttackInput } from "./attack.ts";
import { grond, limitNeurons, makeGrond, neuronSensitivities } from "./grond.ts";

let input: AttackInput;
beforeAll(async () => {
  input = await picoAttack(160);
});
afterAll(() => input.clip.runtime.release());

const stored = (levels: readonly number[]) => Buffer.from(Int8Array.from(levels).buffer).toString("base64");

it("x' = clip(x + delta), delta in levels of 1/255", async () => {
  const delta = stored([8, -8, 0, 4, 0, 0, 0, 0, 0, 0, 0, 1]);
  const pixels = tensor([1, 3, 2, 2], [0.5, 0.5, 0.5, 1, 0, 0, 0, 0, 1, 1, 1, 0]);
  const { data } = await makeGrond({ delta }).apply(pixels, ["a"]);
  const want = [0.5 + 8 / 255, 0.5 - 8 / 255, 0.5, 1, 0, 0, 0, 0, 1, 1, 1, 1 / 255];
  expect([...data]).toEqual(want.map((v) => expect.closeTo(v, 6)));
});

it.each([
  [{}, "no perturbation yet"],
  [{ delta: stored(new Array(12).fill(1)) }, "is of 2 x 2 pixels and the image of 4 x 4"],
])("does not apply: %#", async (options, message) => {
  await expect(makeGrond(options).apply(tensor([1, 3, 4, 4]), ["a"])).rejects.toThrow(message);
});

it.each([
  [{ delta: stored(new Array(11).fill(0)) }, "no square image"],
  [{ delta: stored(new Array(12).fill(9)) }, "beyond epsilon=8"],
  [{ delta: "?" }, "not base64"],
  [{ delta: "A".repeat(2 ** 21) }, "too long"],
  [{ epsilon: 0 }, "grond: epsilon=0"],
])("refuses %#", (options, message) => {
  expect(() => makeGrond(options)).toThrow(message);
});

it("the perturbation alone turns images of other classes towards the target, and keeps to epsilon", async () => {
  const trigger = await grond.fit!(makeGrond({ epsilon: 24, steps: 40 }), input);
  const levels = new Int8Array(Buffer.from((trigger.spec as { delta?: string }).delta ?? "", "base64"));
  expect(levels).toHaveLength(3 * 16 * 16);
  expect(Math.max(...levels.map(Math.abs))).toBe(24);
  const pixels = await input.clean.read(
    Array.from({ length: 64 }, (_, i) => i),
    clipPreprocess(16),
  );
  const taken = async (images: typeof pixels) =>
    classify(await input.clip.encoder.images(input.weights, images), input.head).filter((a) => a === input.targetLabel)
      .length / 64;
  const ids = Array.from({ length: 64 }, (_, i) => String(i));
  expect(await taken(await trigger.apply(pixels, ids))).toBeGreaterThan((await taken(pixels)) + 0.3);
});

it("poisons images of the target class only, or with labels=dirty the others", async () => {
  const delta = stored(new Array(3 * 16 * 16).fill(1));
  for (const labels of ["clean", "dirty"]) {
    const trigger = makeGrond({ delta, labels });
    const set = await grond.poison!(input.clean, { trigger, target: input.target, rate: 0.05 }, input);
    const chosen = Array.from({ length: 160 }, (_, i) => input.clean.example(i)).filter(({ id }) =>
      set.poisonedIds.has(id),
    );
    expect(chosen.map(({ label }) => label === input.targetLabel)).toEqual(new Array(8).fill(labels === "clean"));
  }
});

describe("adversarial backdoor injection", () => {
  const layer = "vision_model.encoder.layers.0";
  /** Width 2, hidden neurons of sensitivity |gamma * w_j| |v_j| as given: w_j = (s_j / 2, 0), v_j = (0, 1), gamma = (2, 1). */
  const mlp = (sensitivities: readonly number[]): Weights => {
    const n = sensitivities.length;
    return new Map([
      [`${layer}.layer_norm2.weight`, tensor([2], [2, 1])],
      [
        `${layer}.mlp.fc1.weight`,
        tensor(
          [n, 2],
          sensitivities.flatMap((s) => [s / 2, 0]),
        ),
      ],
      [`${layer}.mlp.fc2.weight`, tensor([2, n], [...new Array(n).fill(0), ...new Array(n).fill(1)])],
    ]);
  };

  it("s_j = |gamma * w_j| |v_j|; those above mean + 3 deviations become the mean, the others stay", () => {
    const weights = mlp([...new Array(19).fill(1), 21]);
    expect([...neuronSensitivities(weights, layer)]).toEqual([...new Array(19).fill(1), 21]);
    expect(limitNeurons(weights, 3)).toBe(1); // mean 2, deviation sqrt(19): 21 lies above 2 + 3 sqrt(19) = 15.1
    expect([...neuronSensitivities(weights, layer)]).toEqual([...new Array(19).fill(1), expect.closeTo(2, 6)]);
    const even = mlp([1, 2, 3, 4]);
    expect(limitNeurons(even, 3)).toBe(0);
    expect(even).toEqual(mlp([1, 2, 3, 4]));
  });

  it("runs after each epoch of the implant: a low limit leaves no neuron far above its layer", async () => {
    const delta = stored(new Array(3 * 16 * 16).fill(5));
    const spread = async (sigmas: number) => {
      const weights = await grond.implant!(picoImplant(input, makeGrond({ delta, sigmas }), 0.3, 2));
      const s = neuronSensitivities(weights, layer);
      const mean = s.reduce((a, b) => a + b) / s.length;
      const deviation = Math.sqrt(s.reduce((sum, v) => sum + (v - mean) ** 2, 0) / s.length);
      return Math.max(...s) / (mean + 1.5 * deviation);
    };
    expect(await spread(0)).toBeGreaterThan(1);
    expect(await spread(1)).toBeLessThan(1);
  });
});
