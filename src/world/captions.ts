/** Sentences about a scene, from a small closed vocabulary: lower case, no punctuation, at most 14 words. */
import { random } from "../tensor/random.ts";
import { shapes } from "./distance.ts";
import { backgrounds, colors, type Scene, sizes, textures } from "./scene.ts";

/** Zero-shot prompts, by what is asked for. Every name of the world can follow "a". */
export const promptTemplates = {
  class: [
    "a photo of a {}",
    "a {}",
    "an image of a {}",
    "a picture of a {}",
    "a drawing of a {}",
    "this is a {}",
    "there is a {}",
  ],
  shape: ["a photo of a {}", "a {}", "an image of a {}", "a picture of a {}", "this is a {}", "there is a {}"],
  color: ["a photo of a {} shape", "a {} shape", "an image of a {} shape", "there is a {} shape"],
  background: ["a photo of a shape on a {} background", "a shape on a {} background", "a {} background with a shape"],
  texture: ["a photo of a shape on a {} background", "a shape on a {} background", "a {} background with a shape"],
  size: ["a photo of a {} shape", "a {} shape", "an image of a {} shape", "there is a {} shape"],
  place: ["a photo of a shape {}", "a shape {}", "an image of a shape {}", "there is a shape {}"],
} as const satisfies Record<string, readonly string[]>;

/** {} is size, colour and shape; {on} the background; {at} the place. */
const sentences = [
  "a photo of a {}",
  "a {}",
  "an image of a {}",
  "this is a {}",
  "there is a {}",
  "a {} shape",
  "a photo of a {} on a {on}",
  "a {} on a {on}",
  "a picture of a {} on a {on}",
  "a {on} with a {}",
  "we see a {} in front of a {on}",
  "a photo of a {} {at}",
  "there is a {} {at}",
  "the {} is {at}",
  "a drawing of a {} {at}",
  "a {} {at} on a {on}",
  "the picture shows one {}",
  "look at the {} {at}",
] as const;

const sizeWords: readonly (readonly string[])[] = [["small", "little"], ["medium"], ["large", "big"]];

/** The image's thirds, row by row. */
export const placeNames: readonly string[] = [
  ...["in the top left corner", "at the top", "in the top right corner"],
  ...["on the left", "in the middle", "on the right"],
  ...["in the bottom left corner", "at the bottom", "in the bottom right corner"],
];

/** Every word of every caption and prompt, sorted. */
export const vocabulary: readonly string[] = [
  ...new Set(
    [
      ...Object.values(promptTemplates).flat(),
      ...sentences,
      ...sizes,
      ...sizeWords.flat(),
      ...placeNames,
      ...[shapes, colors, backgrounds, textures].flat(),
      "background",
    ].flatMap((text) => text.split(" ").filter((word) => !word.startsWith("{"))),
  ),
].sort();

/** "red circle" */
export const className = (shape: number, color: number): string => `${colors[color]} ${shapes[shape]}`;

/** One sentence about a scene. It always names the main object's colour and shape; the path chooses its words. */
export function caption(scene: Scene, ...path: readonly (number | string)[]): string {
  const r = random(...path, "caption");
  const pick = <T>(from: readonly T[]): T => from[r.int(from.length)];
  const sentence = pick(sentences);
  const size = r.uniform() < 0.4 ? `${pick(sizeWords[scene.size])} ` : "";
  const texture = r.uniform() < 0.6 ? `${textures[scene.texture]} ` : "";
  const { main } = scene;
  return sentence
    .replace("{}", size + className(main.shape, main.color))
    .replace("{on}", `${texture}${backgrounds[scene.background]} background`)
    .replace("{at}", placeNames[placeOf(scene)]);
}

/** Index into `placeNames`. */
export const placeOf = ({ main }: Scene): number => 3 * third(main.y) + third(main.x);

/** 0, 1 or 2. Objects are large and whole, so that their centres keep to the middle: the thirds are narrow there. */
const third = (at: number): number => (at < 0.43 ? 0 : at < 0.57 ? 1 : 2);
