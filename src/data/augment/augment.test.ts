import { expect, test } from "vitest";
import { random } from "../../tensor/random.ts";
import { tensor } from "../../tensor/tensor.ts";
import { autoAugment } from "./auto-augment.ts";
import { eda } from "./eda.ts";

test("EDA: words are swapped or left out, the same each time; none is made up", () => {
  const text = "A photo of a large red circle, at the top.";
  const words = "a photo of a large red circle at the top".split(" ");
  const made = Array.from({ length: 40 }, (_, seed) => eda(text, seed).split(" "));
  for (const some of made) {
    expect([words.length, words.length - 1]).toContain(some.length);
    expect(some.every((word) => words.includes(word))).toBe(true);
  }
  expect(made.some((some) => some.length === words.length)).toBe(true);
  expect(made.some((some) => some.length < words.length)).toBe(true);
  expect(eda(text, 1)).toBe(eda(text, 1));
  expect(eda("Cat!", 1)).toBe("cat");
});

test("AutoAugment: levels within [0, 1], a draw for each image, the same for the same seed; most images change", () => {
  const images = tensor([12, 3, 32, 32]); // smaller ones have nothing to equalize
  random(1).fillUniform(images.data);
  images.data.forEach((v, i) => {
    images.data[i] = Math.round(255 * v) / 255;
  });
  const made = autoAugment(images, 5);
  expect(made.shape).toEqual(images.shape);
  expect(made.data.every((v) => v >= 0 && v <= 1)).toBe(true);
  expect(autoAugment(images, 5)).toEqual(made);
  const changed = Array.from({ length: 12 }, (_, b) =>
    made.data.subarray(3072 * b, 3072 * (b + 1)).some((v, i) => Math.abs(v - images.data[3072 * b + i]) > 0.5 / 255),
  );
  expect(changed.filter(Boolean).length).toBeGreaterThan(6);
});
