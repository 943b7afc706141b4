/** The two attacks on TBAR, on a pico CLIP: what they minimise, and that minimising it works. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { picoAttack, picoImplant } from "../../test/pico-attack.ts";
import { add, cosine as cosineOf, dot, mapVector, norm, scale, taskVector } from "../arithmetic/task-vector.ts";
import { clipPreprocess } from "../checkpoint/config/preprocess.ts";
import { isVision } from "../clip/parameters.ts";
import { finetune } from "../engine/finetune.ts";
import { gradientsOf } from "../engine/gradients.ts";
import { classification } from "../engine/objectives.ts";
import { underHead } from "../engine/tasks.ts";
import { random } from "../tensor/random.ts";
import type { Tensor, Weights } from "../tensor/tensor.ts";
import { triggered } from "../triggers/poison.ts";
import type { Attack, AttackInput, ImplantInput } from "./attack.ts";
import { cosine, entangled } from "./entangled.ts";
import { alongChange, firstOrder, length } from "./first-order.ts";
import { type GradientPenalty, penalizedTask } from "./forget-gradient.ts";

let input: AttackInput;
let implant: ImplantInput;
beforeAll(async () => {
  input = await picoAttack(192);
  implant = picoImplant(input, firstOrder.trigger({ size: 6 }));
});
afterAll(() => input.clip.runtime.release());

/** g, the gradient of the cross-entropy of triggered images against the target, by the engine alone. */
async function forgetGradient(weights: Weights, pixels: Tensor): Promise<Weights> {
  const { clip, head, targetLabel } = input;
  const labels = new Int32Array(pixels.shape[0]).fill(targetLabel);
  const gradients = gradientsOf(clip.runtime, classification(clip.config, clip.preprocess, head), weights);
  return (await gradients(weights, { pixels, labels })).of;
}

const tower = (weights: Weights): Weights => new Map([...weights].filter(([name]) => isVision(name)));

/** A vector of length 1 over the image tower. */
function drawn(seed: string): Weights {
  const values = mapVector(tower(input.weights), (_, name, i) => random(1, seed, name, i).normal());
  return scale(values, 1 / norm(values));
}

async function first<T>(items: AsyncIterable<T>): Promise<T> {
  for await (const item of items) return item;
  throw new Error("there is none");
}

describe("the penalty of g, the forget-set gradient", () => {
  type Case = [string, () => GradientPenalty, (g: Weights, weights: Weights) => number];
  const share = { weight: 1, after: 0, forget: 16 };
  const cases: Case[] = [
    ["|g|", () => ({ ...share, against: new Map(), penalty: length }), norm],
    [
      "cos(g, tau)",
      () => ({ ...share, against: drawn("tau"), penalty: (g, _, tau) => cosine(g, tau) }),
      (g) => dot(g, drawn("tau")) / norm(g),
    ],
    [
      "|g . (theta - theta_0)| / |theta - theta_0|",
      () => ({ ...share, against: tower(input.weights), penalty: alongChange }),
      (g, weights) => Math.abs(cosineOf(g, taskVector(input.weights, weights)) * norm(g)),
    ],
  ];

  it.each(cases)("%s is what it says, and its gradient is the difference quotient", async (_, penalty, byHand) => {
    const weights = add(input.weights, drawn("here"), 1);
    const task = penalizedTask(implant, penalty());
    const batch = await first(task.batches(0));
    const whole = gradientsOf(input.clip.runtime, task.objective, weights);
    const plain = (at: Weights) => whole(at, { ...batch, weight: 0 });
    const value = async (at: Weights) => (await whole(at, batch)).loss - (await plain(at)).loss;
    expect(await value(weights)).toBeCloseTo(byHand(await forgetGradient(weights, batch.triggered), weights), 4);

    const direction = drawn("direction");
    const slope = dot((await whole(weights, batch)).of, direction) - dot((await plain(weights)).of, direction);
    const h = 0.01;
    const [right, left] = [await value(add(weights, direction, h)), await value(add(weights, direction, -h))];
    expect(Math.abs(slope - (right - left) / (2 * h))).toBeLessThan(0.01 * Math.abs(slope));
  });
});

describe("implanting against TBAR lowers what is penalised, at the weights that are left", () => {
  const trained = async (attack: Attack, weight: number, options: Record<string, unknown> = {}) => {
    const trigger = attack.trigger({ size: 6, ...options, weight });
    const weights = (await attack.implant?.(picoImplant(input, trigger, 0.5, 3))) as Weights;
    const images = triggered(input.clean, trigger, input.target);
    const pixels = await images.read(
      Array.from({ length: 64 }, (_, i) => i),
      clipPreprocess(16),
    );
    return { weights, g: await forgetGradient(weights, pixels) };
  };

  it("first-order: |g|", async () => {
    const plain = norm((await trained(firstOrder, 0)).g);
    const found = norm((await trained(firstOrder, 3)).g);
    expect(found).toBeLessThan(0.6 * plain);
  });

  it("first-order, direction: |g . u|", async () => {
    const along = ({ g, weights }: { g: Weights; weights: Weights }) => {
      const change = taskVector(input.weights, weights);
      return Math.abs(dot(g, change)) / norm(change);
    };
    const plain = along(await trained(firstOrder, 0));
    const found = along(await trained(firstOrder, 3, { penalty: "direction" }));
    expect(found).toBeLessThan(0.6 * plain);
  });

  it("entangled: 1 + cos(g, tau_c), tau_c of one epoch on the clean images", async () => {
    const { clip, weights, clean, head } = input;
    const { recipe } = picoImplant(input, entangled.trigger());
    const tau = taskVector(
      weights,
      await finetune(clip, weights, underHead(clip, clean, head, { ...recipe, epochs: 1 }), { ...recipe, epochs: 1 }),
    );
    const plain = cosineOf((await trained(entangled, 0)).g, tau);
    const found = cosineOf((await trained(entangled, 3)).g, tau);
    expect(found).toBeLessThan(plain - 0.2);
  });
});
