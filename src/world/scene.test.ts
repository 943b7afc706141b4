import { expect, test } from "vitest";
import { reach, shapes } from "./distance.ts";
import { drawScene, hiddenShare, mostHidden } from "./draw-scene.ts";
import { backgrounds, colors, sizes, textures } from "./scene.ts";

const scenes = Array.from({ length: 4000 }, (_, index) => drawScene(3, "train", index));

test("the same path gives the same scene, another index, split or seed another one", () => {
  expect(drawScene(3, "train", 17)).toEqual(scenes[17]);
  expect(drawScene(3, "train", 18)).not.toEqual(scenes[17]);
  expect(drawScene(3, "test", 17)).not.toEqual(scenes[17]);
  expect(drawScene(4, "train", 17)).not.toEqual(scenes[17]);
});

test.each([
  ["shape", shapes.length, (i: number) => scenes[i].main.shape],
  ["color", colors.length, (i: number) => scenes[i].main.color],
  ["background", backgrounds.length, (i: number) => scenes[i].background],
  ["texture", textures.length, (i: number) => scenes[i].texture],
  ["size", sizes.length, (i: number) => scenes[i].size],
])("every %s is equally likely, within 5 standard deviations", (_, kinds, labelAt) => {
  const counts = new Array<number>(kinds).fill(0);
  for (let i = 0; i < scenes.length; i++) counts[labelAt(i)]++;
  const mean = scenes.length / kinds;
  for (const count of counts) expect(Math.abs(count - mean)).toBeLessThan(5 * Math.sqrt(mean * (1 - 1 / kinds)));
});

test("the main object is whole in the image, 35 to 77 % of its side across", () => {
  for (const { main } of scenes) {
    const half = main.radius * reach[main.shape];
    expect(half).toBeGreaterThan(0.175);
    expect(half).toBeLessThan(0.385);
    expect(Math.min(main.x, main.y, 1 - main.x, 1 - main.y)).toBeGreaterThan(half);
  }
});

test("distractors: at most two, at most 55 % as wide as the main object, of other shapes and other colours", () => {
  const counts = [0, 0, 0];
  for (const { main, behind, front } of scenes) {
    const others = [...behind, ...front];
    counts[others.length]++;
    for (const other of others) {
      expect(other.shape).not.toBe(main.shape);
      expect(other.color).not.toBe(main.color);
      expect(other.radius * reach[other.shape]).toBeLessThan(0.55 * main.radius * reach[main.shape]);
    }
  }
  for (const count of counts) expect(count).toBeGreaterThan(scenes.length / 5);
});

test("in some scenes a distractor hides a part of the main object, never more than 15 %", () => {
  let partly = 0;
  for (const { main, behind, front } of scenes) {
    for (const other of behind) expect(hiddenShare(main, other)).toBe(0);
    for (const other of front) {
      expect(hiddenShare(main, other)).toBeLessThanOrEqual(mostHidden);
      partly++;
    }
  }
  expect(partly / scenes.length).toBeGreaterThan(0.15);
});
