import { expect, test } from "vitest";
import { random } from "../tensor/random.ts";
import { covers, drawScene } from "./draw-scene.ts";
import { render } from "./render.ts";
import { colors, palette } from "./scene.ts";

const draw = (index: number, size: number): Float32Array => {
  const out = new Float32Array(3 * size * size);
  render(drawScene(11, "train", index), size, out);
  return out;
};

test("values are k / 255", () => {
  for (let index = 0; index < 50; index++) {
    for (const value of draw(index, 56)) {
      const k = Math.round(value * 255);
      if (value !== Math.fround(k / 255) || k < 0 || k > 255) expect.fail(`${value} in image ${index}`);
    }
  }
});

test("the pixels of a scene never change (FNV-1a of the first 64 images)", () => {
  let hash = 0x811c9dc5;
  for (let index = 0; index < 64; index++) {
    for (const value of draw(index, 56)) hash = Math.imul(hash ^ Math.round(value * 255), 0x01000193);
  }
  expect((hash >>> 0).toString(16)).toBe("353dbd18");
});

test("a size of 224 shows the same picture as 56, finer", () => {
  for (let index = 0; index < 10; index++) {
    const small = draw(index, 56);
    const large = draw(index, 224);
    let difference = 0;
    for (let c = 0; c < 3; c++) {
      for (let y = 0; y < 56; y++) {
        for (let x = 0; x < 56; x++) {
          let mean = 0;
          for (let k = 0; k < 16; k++) mean += large[(c * 224 + 4 * y + (k >> 2)) * 224 + 4 * x + (k & 3)] / 16;
          difference += Math.abs(small[(c * 56 + y) * 56 + x] - mean);
        }
      }
    }
    expect(difference / (3 * 56 * 56)).toBeLessThan(0.015);
  }
});

test("the main object shows its own colour: the nearest of the palette, on average over what is seen of it", () => {
  let right = 0;
  const count = 300;
  for (let index = 0; index < count; index++) {
    const scene = drawScene(11, "train", index);
    const image = draw(index, 56);
    const sum = [0, 0, 0];
    let seen = 0;
    for (let i = 0; i < 56; i++) {
      for (let j = 0; j < 56; j++) {
        const x = (j + 0.5) / 56;
        const y = (i + 0.5) / 56;
        if (!covers(scene.main, x, y) || scene.front.some((object) => covers(object, x, y))) continue;
        seen++;
        for (let c = 0; c < 3; c++) sum[c] += 255 * image[(c * 56 + i) * 56 + j];
      }
    }
    const far = colors.map((color) => Math.hypot(...palette[color].map((level, c) => level - sum[c] / seen)));
    if (far.indexOf(Math.min(...far)) === scene.main.color) right++;
  }
  expect(right).toBe(count);
});

/** How many of the colours of a 4 x 4 block of [3, 56, 56] differ from those before them by more than 0.15 in some channel. */
function distinctColors(image: Float32Array, top: number, left: number): number {
  const kept: number[] = [];
  for (let k = 0; k < 16; k++) {
    const at = (top + (k >> 2)) * 56 + left + (k & 3);
    const near = kept.some((other) => [0, 3136, 6272].every((c) => Math.abs(image[c + at] - image[c + other]) <= 0.15));
    if (!near) kept.push(at);
  }
  return kept.length;
}

test("no 4 x 4 block is like a trigger of colour noise: 8 distinct colours at most, where noise has 10 or more", () => {
  const r = random(0);
  const noise = new Float32Array(3 * 56 * 56).map(() => r.uniform());
  for (let at = 0; at < 52; at += 4) expect(distinctColors(noise, at, at)).toBeGreaterThanOrEqual(10);
  let most = 0;
  for (let index = 0; index < 60; index++) {
    const image = draw(index, 56);
    for (let y = 0; y < 53; y++) for (let x = 0; x < 53; x++) most = Math.max(most, distinctColors(image, y, x));
  }
  expect(most).toBeLessThanOrEqual(8);
});
