import { expect, test } from "vitest";
import { caption, className, promptTemplates, vocabulary } from "./captions.ts";
import { drawScene } from "./draw-scene.ts";
import { backgrounds, textures } from "./scene.ts";
import { labelSets } from "./shapes.ts";

const drawn = Array.from({ length: 3000 }, (_, index) => {
  const scene = drawScene(5, "train", index);
  return { scene, caption: caption(scene, 5, "shapes", "train", index) };
});

test("a caption names the colour and the shape, in at most 14 words of the vocabulary", () => {
  const known = new Set(vocabulary);
  for (const { scene, caption } of drawn) {
    const words = caption.split(" ");
    expect(caption).toContain(className(scene.main.shape, scene.main.color));
    expect(words.length).toBeLessThanOrEqual(14);
    expect(words.filter((word) => !known.has(word))).toEqual([]);
  }
});

test("a caption that speaks of the background names its colour, and its texture or none", () => {
  const spoken = drawn.filter(({ caption }) => caption.includes("background"));
  expect(spoken.length).toBeGreaterThan(drawn.length / 5);
  for (const { scene, caption } of spoken) {
    expect(caption).toContain(`${backgrounds[scene.background]} background`);
    for (const texture of textures) if (caption.includes(texture)) expect(texture).toBe(textures[scene.texture]);
  }
});

test("captions say where the object is", () => {
  const said = drawn.filter(({ caption }) => caption.includes("top left corner"));
  expect(said.length).toBeGreaterThan(20);
  for (const { scene } of said) expect(Math.max(scene.main.x, scene.main.y)).toBeLessThan(0.43);
});

test("the vocabulary is sorted, lower case, without doubles and used whole, below 120 words", () => {
  expect(vocabulary).toEqual([...new Set(vocabulary)].sort());
  expect(vocabulary.length).toBeLessThan(120);
  for (const word of vocabulary) expect(word).toMatch(/^[a-z]+$/);
  const used = new Set(drawn.flatMap(({ caption }) => caption.split(" ")));
  expect(vocabulary.filter((word) => !used.has(word))).toEqual([]);
});

test('prompts hold one {}, words of the vocabulary, and no name makes "a" wrong', () => {
  expect(promptTemplates.class.length).toBeGreaterThanOrEqual(6);
  for (const [labels, prompts] of Object.entries(promptTemplates)) {
    for (const prompt of prompts) {
      expect(prompt.split("{}").length).toBe(2);
      for (const name of labelSets[labels as keyof typeof labelSets]) {
        const filled = prompt.replace("{}", name);
        expect(filled).not.toMatch(/\ba [aeiou]|\ban [^aeiou]/);
        for (const word of filled.split(" ")) expect(vocabulary).toContain(word);
      }
    }
  }
});
