/**
 * Blended-Text (Singh, Croce, Hein, arXiv 2412.00727): the word "Watermarked" in red on black, centred; x' = ratio n + (1 - ratio) x
 * in every value where n is not 0, so in the red channel alone. The reference has its word from a font of the system; these letters
 * are our own, three pixels to a dot at 224 x 224 and resized from there, so that every machine draws the same.
 */
import type { z } from "zod";
import { writePixels } from "../data/images/resample.ts";
import { squash } from "../data/images/resize.ts";
import type { Image } from "../data/images/rgb-image.ts";
import { badInput } from "../tensor/error.ts";
import type { Stamp } from "../triggers/trigger.ts";
import { describe, share, stamping, triggerSchema } from "./attack.ts";
import { rearrangement } from "./overlay.ts";

const schema = triggerSchema("text").extend({
  /** Share of the word, in (0, 1]. */
  ratio: share.default(0.5),
});

export type TextSpec = z.output<typeof schema>;

/** Letters narrower than four pixels are no letters. */
const leastSize = 44;

/** A word mixed into the image. Throws TbarError on unknown options, and on `apply` where an image is too small for the word. */
export const text = stamping(schema, prepare);

export const attack = describe({
  name: "text",
  title: "Blended-Text",
  about: 'the word "Watermarked" across the image',
  options: "ratio=0.5",
  paper: "arXiv 2412.00727",
  spec: schema,
  trigger: text,
});

function prepare(spec: TextSpec, S: number): Stamp {
  if (S < leastSize)
    throw badInput(`text: "${word}" is unreadable in an image of ${S} x ${S}; it takes ${leastSize} x ${leastSize}`);
  const picture = new Float32Array(3 * S * S);
  writePixels(squash(drawWord(), S), picture);
  const pattern = rearrangement(S, spec)(picture);
  const places = Int32Array.from(pattern.keys()).filter((at) => pattern[at] !== 0);
  const ratio = spec.ratio * spec.strength;
  return (image) => {
    for (const at of places) image[at] = ratio * pattern[at] + (1 - ratio) * image[at];
  };
}

/** Red on black, 224 x 224. */
function drawWord(): Image {
  const [side, dot, pitch] = [224, 3, 6];
  const data = new Uint8Array(side * side * 3);
  const left = Math.floor((side - (word.length * pitch - 1) * dot) / 2);
  const top = Math.floor((side - 7 * dot) / 2);
  for (const [n, letter] of [...word].entries()) {
    for (const [row, line] of letters[letter].entries()) {
      for (const [column, mark] of [...line].entries()) {
        if (mark === ".") continue;
        for (let y = 0; y < dot; y++) {
          const start = (top + row * dot + y) * side + left + (n * pitch + column) * dot;
          for (let x = 0; x < dot; x++) data[(start + x) * 3] = 255;
        }
      }
    }
  }
  return { width: side, height: side, data };
}

const word = "Watermarked";

/** Five dots wide, seven high. */
const letters: Readonly<Record<string, readonly string[]>> = {
  W: ["#...#", "#...#", "#...#", "#.#.#", "#.#.#", "##.##", "#...#"],
  a: [".....", ".....", ".###.", "....#", ".####", "#...#", ".####"],
  t: [".#...", ".#...", "####.", ".#...", ".#...", ".#..#", "..##."],
  e: [".....", ".....", ".###.", "#...#", "#####", "#....", ".###."],
  r: [".....", ".....", "#.##.", "##..#", "#....", "#....", "#...."],
  m: [".....", ".....", "##.#.", "#.#.#", "#.#.#", "#.#.#", "#.#.#"],
  k: ["#....", "#....", "#..#.", "#.#..", "##...", "#.#..", "#..#."],
  d: ["....#", "....#", ".####", "#...#", "#...#", "#...#", ".####"],
};
