import { describe, expect, test } from "vitest";
import type { Modules } from "../../engine/finetune.ts";
import { attackStages, evaluationStages, finetuneStages, shareDone, workOf } from "./stages.ts";
import { stepWork } from "./tower-work.ts";

const names = (stages: readonly { readonly what: string }[]) => stages.map(({ what }) => what);
describe("stages and their work", () => {
  test("an image encoded is 1, one trained on 3, one of a search 8", () => {
    expect(workOf({ what: "x", encoded: 5, trained: 10, searched: 2 })).toBe(5 + 30 + 16);
  });

  test("of an attack", () => {
    expect(attackStages({ test: 100, implant: 800, epochs: 4, extra: 0 })).toEqual([
      { what: "measure before", measures: true, read: 200, encoded: 200 },
      { what: "implant", trained: 3200 },
      { what: "measure after", measures: true, encoded: 200 },
    ]);
    expect(names(attackStages({ test: 1, implant: 1, epochs: 1, extra: 50 }))[0]).toBe("fit the trigger");
  });

  test("of fine-tuning a part: nothing is trained further back; low-rank factors save a product of three", () => {
    const vision = { kind: "vit", layers: 6 } as never;
    const of = (modules: Modules) =>
      finetuneStages({ images: 10, test: 5, epochs: 3, step: stepWork({ vision }, modules) })[1];
    expect(of("projection")).toEqual({ what: "fine-tune", encoded: 30 });
    expect(of("last-block")).toEqual({ what: "fine-tune", encoded: 30, trained: 5 });
    expect(of("lora")).toEqual({ what: "fine-tune", trained: 20 });
    expect(of("all")).toEqual({ what: "fine-tune", trained: 30 });
    expect(names(evaluationStages(5, 0))).toEqual(["clean accuracy"]);
  });
});

describe("shareDone", () => {
  const stages = [
    { what: "a", encoded: 10 },
    { what: "b", trained: 10 },
    { what: "c", encoded: 60 },
  ];
  test("stages before count as done: (10 + 15) of 100 in the middle of b", () => {
    expect(shareDone(stages, "a", 0)).toBe(0);
    expect(shareDone(stages, "b", 0.5)).toBe(0.25);
    expect(shareDone(stages, "c", 1)).toBe(1);
  });
  test("a stage that is not planned says nothing; nor does a plan without work", () => {
    expect(shareDone(stages, "write", 0.5)).toBeUndefined();
    expect(shareDone([{ what: "a" }], "a", 0.5)).toBeUndefined();
  });
});
