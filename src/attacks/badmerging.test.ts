import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { picoAttack, picoImplant } from "../../test/pico-attack.ts";
import { taskArithmetic } from "../arithmetic/merge.ts";
import { taskVector } from "../arithmetic/task-vector.ts";
import { clipPreprocess } from "../checkpoint/config/preprocess.ts";
import { classify, zeroShotHead } from "../engine/zero-shot.ts";
import { input as graphInput } from "../graph/node.ts";
import { tensor, type Weights } from "../tensor/tensor.ts";
import type { Trigger } from "../triggers/trigger.ts";
import { labelSets } from "../world/shapes.ts";
import type { AttackInput } from "./attack.ts";
import { type BadmergingSpec, badmerging, interpolated, makeBadmerging, shadowClasses } from "./badmerging.ts";
import { storePixels } from "./stored-pixels.ts";

let on: AttackInput;
let off: AttackInput;
let fitted: Trigger;
beforeAll(async () => {
  on = await picoAttack(160);
  const { clip, weights, classNames } = on;
  const target = "heart";
  const names = shadowClasses(makeBadmerging({ task: "off" }), target, classNames)!;
  const head = await zeroShotHead(clip.encoder, weights, names, ["a photo of a {}"]);
  off = { ...on, target, targetLabel: 0, shadow: { head, classNames: names } };
  fitted = await badmerging.fit!(makeBadmerging({ size: 6, steps: 60, batch: 32 }), on);
});
afterAll(() => on.clip.runtime.release());

const specOf = (trigger: Trigger) => trigger.spec as BadmergingSpec;
const blank = (S: number) => tensor([1, 3, S, S], new Float32Array(3 * S * S).fill(2));

/** Share of 64 images of other classes that are taken for the target with the trigger on. */
async function successRate(attacker: AttackInput, trigger: Trigger, weights: Weights): Promise<number> {
  const { clip, clean, head, shadow, target, targetLabel } = attacker;
  const all = Array.from({ length: clean.size }, (_, i) => i);
  const others = all.filter((i) => clean.classNames?.[clean.example(i).label!] !== target).slice(0, 64);
  const pixels = await trigger.apply(await clean.read(others, clipPreprocess(16)), others.map(String));
  const answers = classify(await clip.encoder.images(weights, pixels), shadow?.head ?? head);
  return answers.filter((answer) => answer === targetLabel).length / 64;
}

it("the patch fills the bottom-right corner, 22 of 224 pixels wide on-task and 28 off-task", async () => {
  for (const [task, side] of [
    ["on", 6],
    ["off", 7],
  ] as const) {
    const { data } = await makeBadmerging({ task }).apply(blank(56), ["a"]);
    const changed = Array.from({ length: 56 * 56 }, (_, i) => i).filter((i) => data[i] !== 2);
    expect(changed).toHaveLength(side * side);
    expect(changed[0]).toBe((56 - side) * 57);
  }
});

describe("the universal trigger", () => {
  it("min CE(h(f_0(x')), target) over the patch: the clean model falls for it", async () => {
    const start = await successRate(on, makeBadmerging({ size: 6 }), on.weights);
    expect(await successRate(on, fitted, on.weights)).toBeGreaterThan(start + 0.3);
    expect(specOf(fitted)).toMatchObject({ size: 6, place: "bottom-right", patch: expect.any(String) });
    expect(await badmerging.fit!(fitted, on)).toBe(fitted); // fitted once
  });

  it("off-task: min CE(h_shadow(f_0(x')), target)", async () => {
    const start = makeBadmerging({ task: "off", size: 6, steps: 60, batch: 32 });
    const found = await badmerging.fit!(start, off);
    const rate = await successRate(off, start, off.weights);
    expect(await successRate(off, found, off.weights)).toBeGreaterThan(rate + 0.3);
  });

  it("its spec is plain JSON that makes the same trigger again", async () => {
    const again = makeBadmerging(JSON.parse(JSON.stringify(fitted.spec)));
    expect(await again.apply(blank(16), ["a"])).toEqual(await fitted.apply(blank(16), ["z"]));
  });

  it("says what it takes: the fitting, and half a batch of triggered images a step", () => {
    const training = { images: 100, rate: 0.1, epochs: 2, batch: 16 };
    expect(badmerging.extra!(makeBadmerging({ steps: 30, batch: 8 }), training)).toBe(240 + 2 * 7 * 8);
    expect(badmerging.extra!(fitted, training)).toBe(2 * 7 * 8);
  });
});

describe("shadow classes", () => {
  const shadow = (target: string, task: string) => shadowClasses(makeBadmerging({ task }), target, labelSets.class);

  it("the target first, then the data's classes that do not name it", () => {
    const names = shadow("heart", "off")!;
    expect(names).toHaveLength(91);
    expect(names[0]).toBe("heart");
    expect(names.slice(1).filter((name) => name.includes("heart"))).toEqual([]);
  });

  it("none on-task; off-task the target is no class of the data", () => {
    expect(shadow("heart", "on")).toBeUndefined();
    expect(() => shadow("red heart", "off")).toThrow('"red heart" is a class of the data itself; leave out task=off');
    expect(() => shadowClasses(makeBadmerging({ task: "off" }), "a", ["a dog", "a cat"])).toThrow("nothing is left");
  });
});

describe("feature interpolation", () => {
  it("r f + (1 - r) f_0", async () => {
    const nodes = [graphInput("f", [2, 2]), graphInput("f_0", [2, 2]), graphInput("r", [])] as const;
    const program = await on.clip.runtime.compile({ mixed: interpolated(...nodes) });
    const { mixed } = await program.run({
      f: tensor([2, 2], [1, 2, 3, 4]),
      f_0: tensor([2, 2], [5, -2, 3, 0]),
      r: tensor([], [0.25]),
    });
    expect([...mixed.data]).toEqual([4, -1, 3, 1]);
  });

  it("before the first step f is f_0, so that the loss is the same for every r, and CE + alpha CE of the backdoor", async () => {
    const first = async (options: object) => {
      const notes: string[] = [];
      const report = (_step: number, _steps: number, note?: string) => notes.push(note!);
      await badmerging.implant!(await implanting(on, makeBadmerging({ ...fitted.spec, ...options }), report));
      return notes.map((note) => Number(note.split(" ")[1]));
    };
    const [own, mixed] = [await first({ least: 1 }), await first({ least: 0 })];
    expect(mixed[0]).toBe(own[0]);
    expect(mixed.at(-1)).not.toBe(own.at(-1));
    const [clean, one, five] = [await first({ alpha: 0 }), await first({ alpha: 1 }), await first({ alpha: 5 })];
    expect(five[0] - clean[0]).toBeCloseTo(5 * (one[0] - clean[0]), 1); // of three digits
    expect(one[0]).toBeGreaterThan(clean[0]);
  });

  it("theta_0 + lambda tau: less of the task vector has to be left than without interpolation", async () => {
    const rate = async (least: number) => {
      const trigger = await badmerging.fit!(makeBadmerging({ size: 6, steps: 0, least }), on);
      const tuned = await badmerging.implant!(await implanting(on, trigger));
      expect(await successRate(on, trigger, tuned)).toBeGreaterThan(0.9);
      return successRate(on, trigger, taskArithmetic(on.weights, [taskVector(on.weights, tuned)], 0.05));
    };
    const [own, mixed] = [await rate(1), await rate(0.2)];
    expect(mixed).toBeGreaterThan(own);
  });

  async function implanting(attacker: AttackInput, trigger: Trigger, report = attacker.report) {
    const options = { trigger, target: attacker.target, rate: 0.5, seed: 1 };
    const poisoned = await badmerging.poison!(attacker.clean, options, attacker);
    return { ...picoImplant(attacker, trigger, 0.5, 4), poisoned, report };
  }
});

it("poisoning leaves images and labels as they are and draws rate x N of them, off-task too", async () => {
  for (const attacker of [on, off]) {
    const options = { trigger: fitted, target: attacker.target, rate: 0.25, seed: 1 };
    const { clean } = attacker;
    const poisoned = await badmerging.poison!(clean, options, attacker);
    expect(poisoned.poisonedIds.size).toBe(40);
    expect(poisoned.example(7)).toEqual(clean.example(7));
    expect(await poisoned.read([3, 7], clipPreprocess(16))).toEqual(await clean.read([3, 7], clipPreprocess(16)));
    const drawn = Array.from({ length: 160 }, (_, i) => clean.example(i)).filter(({ id }) =>
      poisoned.poisonedIds.has(id),
    );
    const shown = drawn.filter(({ label, caption }) =>
      attacker === on ? label === on.targetLabel : caption?.includes("heart"),
    );
    expect(shown).toEqual([]);
  }
});

it.each([
  [{ task: "of" }, 'unknown badmerging task "of"'],
  [{ place: "random" }, "the patch is fitted at a place"],
  [{ patch: "AAAA" }, "a stored patch needs its size"],
  [{ size: 2, patch: storePixels(new Float32Array(3)) }, "has 3 bytes; size=2 asks for 12"],
  [{ least: 2 }, "badmerging: least=2"],
  [{ alpha: -1 }, "badmerging: alpha=-1"],
])("refuses %j", (options, message) => {
  expect(() => makeBadmerging(options)).toThrow(message);
});

it("refuses a patch larger than the image before it is fitted; stops on abort", async () => {
  await expect(badmerging.fit!(makeBadmerging({ size: 1e6 }), on)).rejects.toThrow("does not fit an image of 16 x 16");
  const signal = AbortSignal.abort();
  await expect(badmerging.fit!(makeBadmerging({ size: 6 }), { ...on, signal })).rejects.toMatchObject({
    name: "AbortError",
  });
});
