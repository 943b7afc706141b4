import { describe, expect, it } from "vitest";
import { clipPreprocess } from "../checkpoint/config/preprocess.ts";
import type { Dataset } from "../data/dataset.ts";
import { poison, triggered } from "./poison.ts";
import type { Trigger } from "./trigger.ts";

/** 40 grey images of 4 classes, 10 each. */
const grey: Dataset = {
  name: "grey",
  size: 40,
  classNames: ["ant", "bee", "cow", "dog"],
  example: (i) => ({ id: `g${i}`, label: i % 4, caption: "something grey" }),
  async read(indices, { cropSize: S }) {
    return { shape: [indices.length, 3, S, S], data: new Float32Array(indices.length * 3 * S * S).fill(0.5) };
  },
};

/** Writes the number in the id / 100 everywhere. */
const numbering: Trigger = {
  spec: { kind: "numbering", seed: 0 },
  async apply({ shape, data }, ids) {
    const size = data.length / ids.length;
    return { shape, data: Float32Array.from(data, (_, i) => Number(ids[Math.floor(i / size)].slice(1)) / 100) };
  },
};

const indices = (d: Dataset) => Array.from({ length: d.size }, (_, i) => i);

describe("poison", () => {
  it("rate r of n examples: round(r n) of them triggered and relabelled, none of the target class, the others untouched", async () => {
    const set = poison(grey, { trigger: numbering, target: "cow", rate: 0.25, seed: 1, templates: ["a {}, a {}"] });
    expect(set.size).toBe(40);
    expect(set.poisonedIds.size).toBe(10);
    const { data } = await set.read(indices(set), clipPreprocess(1));
    for (const i of indices(set)) {
      const source = grey.example(i);
      if (set.poisonedIds.has(source.id)) {
        expect(source.label).not.toBe(2);
        expect(set.example(i)).toEqual({ id: source.id, label: 2, caption: "a cow, a cow" });
        expect(data[3 * i]).toBeCloseTo(i / 100);
      } else {
        expect(set.example(i)).toEqual(source);
        expect(data[3 * i]).toBe(0.5);
      }
    }
  });

  it("the default rate is 5 %, a count can be given instead, the seed decides the choice", () => {
    const chosen = (seed: number) => [...poison(grey, { trigger: numbering, target: 0, seed }).poisonedIds];
    expect(chosen(1)).toHaveLength(2);
    expect(chosen(1)).toEqual(chosen(1));
    expect(new Set([1, 2, 3, 4, 5].map((seed) => chosen(seed).join()))).not.toHaveProperty("size", 1);
    expect(poison(grey, { trigger: numbering, target: 0, count: 30 }).poisonedIds.size).toBe(30);
  });

  it("captions are drawn from all templates", () => {
    const set = poison(grey, { trigger: numbering, target: 0, count: 30, templates: ["one {}", "two {}"] });
    const captions = new Set(indices(set).map((i) => set.example(i).caption));
    expect(captions).toEqual(new Set(["one ant", "two ant", "something grey"]));
  });

  it("clean label: only the target's own images are triggered, and no label or caption changes", async () => {
    const set = poison(grey, { trigger: numbering, target: "cow", rate: 0.2, cleanLabel: true });
    const { data } = await set.read(indices(set), clipPreprocess(1));
    expect(set.poisonedIds.size).toBe(8);
    for (const i of indices(set)) {
      const chosen = set.poisonedIds.has(grey.example(i).id);
      expect(set.example(i)).toEqual(grey.example(i));
      expect(data[3 * i]).toBeCloseTo(chosen ? i / 100 : 0.5);
      if (chosen) expect(grey.example(i).label).toBe(2);
    }
  });

  it("except: images that carry another trigger keep it", () => {
    const first = poison(grey, { trigger: numbering, target: 0, count: 15 });
    const second = poison(first, { trigger: numbering, target: 1, count: 15, except: first.poisonedIds });
    expect([...second.poisonedIds].filter((id) => first.poisonedIds.has(id))).toEqual([]);
    for (const i of indices(grey)) if (first.poisonedIds.has(`g${i}`)) expect(second.example(i).label).toBe(0);
  });

  it.each([
    [
      { target: 0, rate: 0.3, cleanLabel: true },
      'grey has 10 of the target class "ant", and this attack poisons no others; a rate of at most 0.25 works (it counts from all 40 images)',
    ],
    [{ target: 0, rate: 0 }, "the poison rate must be above 0 and at most 1, not 0"],
    [{ target: 0, rate: 1.1 }, "not 1.1"],
    [{ target: 0, rate: 0.01 }, "less than one of the 40 examples"],
    [{ target: 0, count: 31 }, "cannot poison 31 examples: grey has 30 outside the target class"],
    [{ target: 0, count: 1, rate: 0.1 }, "not both"],
    [{ target: 4 }, "unknown target class 4: grey has classes 0 to 3"],
    [{ target: "bea" }, 'unknown target class "bea"; did you mean "bee"?'],
    [{ target: 0, templates: [] }, "no caption templates"],
  ])("refuses %j", (options, message) => {
    expect(() => poison(grey, { trigger: numbering, ...options })).toThrow(message);
  });

  it("captioned sets without classes: a target word, looked for in the captions", () => {
    const captioned: Dataset = {
      ...grey,
      classNames: undefined,
      example: (i) => ({ id: `g${i}`, caption: i < 10 ? "Two Bananas" : "a house" }),
    };
    const set = triggered(captioned, numbering, "banana");
    expect(set.size).toBe(30);
    expect(set.example(0)).toEqual({ id: "g10", label: undefined, caption: "a photo of a banana." });
  });
});

describe("triggered", () => {
  it("every image but the target class, triggered, beside its paired clean image", async () => {
    const set = triggered(grey, numbering, 1);
    expect(set.size).toBe(30);
    expect(indices(set).every((i) => set.example(i).label === 1 && set.clean.example(i).label !== 1)).toBe(true);
    expect(set.clean.example(7).id).toBe(set.example(7).id);
    const number = Number(set.example(7).id.slice(1));
    expect((await set.read([7], clipPreprocess(1))).data[0]).toBeCloseTo(number / 100);
    expect((await set.clean.read([7], clipPreprocess(1))).data[0]).toBe(0.5);
  });
});
