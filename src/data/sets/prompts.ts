/**
 * Prompts that CLIP was measured with, by data set (openai/CLIP data/prompts.md and its ImageNet notebook; MIT, the notice is
 * data/imagenet/LICENSE). Which data set it is, its class names tell.
 */
import { imagenetNames, imagenetTemplates } from "./imagenet-names.ts";

interface KnownData {
  readonly classes: number;
  /** Names that are among them, in lower case, `_` read as a space. */
  readonly among: readonly string[];
  readonly templates: readonly string[];
}

const aAndThe = (...templates: string[]) =>
  ["a", "the"].flatMap((article) => templates.map((t) => t.replace("ARTICLE", article)));

const photo = aAndThe("a photo of ARTICLE {}.");
const looks = ["", "blurry ", "black and white ", "low contrast ", "high contrast ", "bad ", "good "];
const cifar = aAndThe(
  ...looks.map((look) => `a ${look}photo of ARTICLE {}.`),
  "a photo of ARTICLE small {}.",
  "a photo of ARTICLE big {}.",
);
const number = ['a photo of the number: "{}".'];

export const knownData: Readonly<Record<string, KnownData>> = {
  imagenet: { classes: 1000, among: ["tench", "banana", "toilet paper"], templates: imagenetTemplates },
  cifar10: { classes: 10, among: ["airplane", "automobile", "frog"], templates: cifar },
  cifar100: { classes: 100, among: ["aquarium fish", "maple tree", "worm"], templates: cifar },
  sun397: { classes: 397, among: ["abbey", "alley", "zen garden"], templates: photo },
  stl10: { classes: 10, among: ["airplane", "monkey", "truck"], templates: photo },
  cars: {
    classes: 196,
    among: [],
    templates: [...photo, "a photo of my {}.", "i love my {}!", "a photo of my dirty {}.", "a photo of my clean {}.", "a photo of my new {}.", "a photo of my old {}."], // biome-ignore format: one line
  },
  dtd: {
    classes: 47,
    among: ["banded", "polka-dotted", "zigzagged"],
    templates: aAndThe("a photo of ARTICLE {} texture.", "a photo of ARTICLE {} pattern.", "a photo of ARTICLE {} thing.", "a photo of ARTICLE {} object."), // biome-ignore format: one line
  },
  eurosat: {
    classes: 10,
    among: ["forest", "highway or road", "river"],
    templates: ["a centered satellite photo of {}.", ...aAndThe("a centered satellite photo of ARTICLE {}.")],
  },
  food101: { classes: 101, among: ["apple pie", "waffles"], templates: ["a photo of {}, a type of food."] },
  gtsrb: {
    classes: 43,
    among: ["stop"],
    templates: ["a zoomed in", "a centered", "a close up"].map((how) => `${how} photo of a "{}" traffic sign.`),
  },
  mnist: { classes: 10, among: ["0", "9"], templates: number },
  svhn: { classes: 10, among: [], templates: number },
  pets: { classes: 37, among: ["beagle", "siamese"], templates: ["a photo of a {}, a type of pet."] },
  resisc45: {
    classes: 45,
    among: ["wetland", "thermal power station"],
    templates: ["", "a ", "the "].flatMap((article) =>
      ["satellite imagery", "aerial imagery", "satellite photo", "aerial photo", "satellite view", "aerial view"].map(
        (how) => `${how} of ${article}{}.`,
      ),
    ),
  },
};

/** The name in `knownData` of the data set with these classes, if it is there. */
export function recognize(classNames: readonly string[]): string | undefined {
  const names = new Set(classNames.map((name) => name.toLowerCase().replaceAll("_", " ")));
  return Object.keys(knownData).find((name) => {
    const { classes, among } = knownData[name];
    return among.length > 0 && classes === classNames.length && among.every((one) => names.has(one));
  });
}

/** ImageNet's classes by OpenAI's names where WordNet's stand ("tench, Tinca tinca"); other lists as they are. */
export function curated(classNames: readonly string[]): readonly string[] {
  const isImageNet = classNames.length === 1000 && classNames[0].startsWith("tench") && classNames[954] === "banana";
  return isImageNet ? imagenetNames : classNames;
}
