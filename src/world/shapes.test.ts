import { expect, test } from "vitest";
import { clipPreprocess } from "../checkpoint/config/preprocess.ts";
import { TbarError } from "../tensor/error.ts";
import { classNames, labelSets, shapesWorld } from "./shapes.ts";

const world = shapesWorld({ seed: 1, split: "test", size: 2000 });

test("100 classes, each a colour and a shape", () => {
  expect(classNames.length).toBe(100);
  expect(new Set(classNames).size).toBe(100);
  expect(classNames[0]).toBe("red circle");
  expect(classNames[99]).toBe("black fish");
});

test("an example's caption contains its class name, whatever set the label is of", () => {
  for (let i = 0; i < 200; i++) {
    const { id, label, caption } = world.example(i);
    expect(id).toBe(`shapes/1/test/${i}`);
    expect(caption).toContain(classNames[label!]);
    const [color, shape] = classNames[label!].split(" ");
    for (const [labels, name] of [
      ["color", color],
      ["shape", shape],
    ] as const) {
      const other = shapesWorld({ seed: 1, split: "test", size: 2000, labels });
      expect(other.classNames![other.example(i).label!]).toBe(name);
      expect(other.example(i).caption).toBe(caption);
    }
  }
});

test("labels of background and texture agree with the captions that name both", () => {
  const background = shapesWorld({ seed: 1, split: "test", size: 2000, labels: "background" });
  const texture = shapesWorld({ seed: 1, split: "test", size: 2000, labels: "texture" });
  let named = 0;
  for (let i = 0; i < 2000; i++) {
    const said = background.example(i).caption!.match(/(\w+) (\w+) background/);
    if (said === null) continue;
    expect(said[2]).toBe(labelSets.background[background.example(i).label!]);
    if (!labelSets.texture.includes(said[1])) continue;
    expect(said[1]).toBe(labelSets.texture[texture.example(i).label!]);
    named++;
  }
  expect(named).toBeGreaterThan(100);
});

test("labels of size and place agree with the captions that name them", () => {
  const world = (labels: "size" | "place") => shapesWorld({ seed: 1, split: "test", size: 2000, labels });
  const [size, place] = [world("size"), world("place")];
  const sizeWords = [/\b(small|little)\b/, /\bmedium\b/, /\b(large|big)\b/];
  const named = { size: 0, place: 0 };
  for (let i = 0; i < 2000; i++) {
    const { caption, label } = size.example(i);
    const said = sizeWords.findIndex((words) => words.test(caption!));
    if (said >= 0) expect([i, label]).toEqual([i, said]);
    if (said >= 0) named.size++;
    const where = labelSets.place.findIndex((name) => caption!.includes(name));
    if (where >= 0) expect([i, place.example(i).label]).toEqual([i, where]);
    if (where >= 0) named.place++;
  }
  expect(Math.min(named.size, named.place)).toBeGreaterThan(400);
});

test("read gives [B, 3, S, S] in the order asked for, the same on every call", async () => {
  const both = await world.read([5, 9], clipPreprocess(48));
  expect(both.shape).toEqual([2, 3, 48, 48]);
  const swapped = await shapesWorld({ seed: 1, split: "test", size: 10 }).read([9, 5], clipPreprocess(48));
  const half = 3 * 48 * 48;
  expect(swapped.data.subarray(0, half)).toEqual(both.data.subarray(half));
  expect(swapped.data.subarray(half)).toEqual(both.data.subarray(0, half));
});

test("splits are independent: their labels agree as often as chance has it", () => {
  const train = shapesWorld({ seed: 1, split: "train", size: 2000, labels: "color" });
  const test = shapesWorld({ seed: 1, split: "test", size: 2000, labels: "color" });
  let same = 0;
  for (let i = 0; i < 2000; i++) if (train.example(i).label === test.example(i).label) same++;
  expect(Math.abs(same - 200)).toBeLessThan(5 * Math.sqrt(180));
});

test("what cannot be drawn is refused by name", async () => {
  expect(() => shapesWorld({ seed: 0.5, split: "train", size: 10 })).toThrow(/whole number, not 0.5/);
  expect(() => shapesWorld({ seed: 0, split: "train", size: 0 })).toThrow(/1 or more, not 0/);
  expect(() => shapesWorld({ seed: 0, split: "", size: 1 })).toThrow(/must have a name/);
  expect(() => shapesWorld({ seed: 0, split: "train", size: 1, labels: "colour" as "color" })).toThrow(
    /unknown label set "colour"; did you mean "color"/,
  );
  expect(() => world.example(2000)).toThrow(/images 0 to 1999/);
  await expect(world.read([-1], clipPreprocess(56))).rejects.toThrow(TbarError);
  await expect(world.read([0], clipPreprocess(0))).rejects.toThrow(/8 to 1024/);
  await expect(world.read([0], clipPreprocess(1e9))).rejects.toThrow(/8 to 1024/);
});
