/** Images as their files store them, which matters to who resizes before converting to RGB: palettes, transparency, inks. */
import type { Image } from "./rgb-image.ts";

/** Layers of three channels each, which are resized alike and then make RGB. */
export interface StoredImage {
  readonly layers: readonly [Image, ...Image[]];
  /** Colours out of a palette cannot be mixed: Pillow takes the nearest pixel whatever the filter. */
  readonly nearest: boolean;
  /** What is resized by filters that mix pixels: colours times their alpha. */
  multiplied(): StoredImage;
  toRgb(layers: readonly Image[]): Image;
  /** The colour of a border of level 0 to 255. */
  border(level: number): readonly number[];
}

const grey = (level: number) => [level, level, level];

/** Red, green and blue; or one grey. */
export function rgbImage(image: Image): StoredImage {
  const stored: StoredImage = {
    layers: [image],
    nearest: false,
    multiplied: () => stored,
    toRgb: ([image]) => image,
    border: grey,
  };
  return stored;
}

/** Colours of a palette, or black and white; a border is the palette's colour of that number. */
export function paletteImage(image: Image, colourOf: (index: number) => readonly number[]): StoredImage {
  const stored: StoredImage = { ...rgbImage(image), nearest: true, multiplied: () => stored, border: colourOf };
  return stored;
}

/** `alpha` [height, width]; dropped once the image is resized. */
export function alphaImage(image: Image, alpha: Uint8Array): StoredImage {
  const plain = rgbImage(image);
  if (alpha.every((level) => level === 255)) return plain;
  return { ...plain, multiplied: () => ({ ...plain, layers: [times(image, alpha), spread(image, alpha)], toRgb: divided }) }; // biome-ignore format: one line
}

/** Laid on white, as transformers does before anything else. */
export function onWhite({ width, height, data }: Image, alpha: Uint8Array): Image {
  return { width, height, data: withAlpha(data, alpha, (level, a) => over255(level * a + 255 * (255 - a))) };
}

/** data [height, width, 4]: cyan, magenta, yellow, black. */
export function inkImage({ width, height, data: ink }: Image): StoredImage {
  const pick = (channels: readonly number[]) => {
    const data = new Uint8Array(3 * width * height);
    for (let from = 0, to = 0; to < data.length; from += 4) for (const c of channels) data[to++] = ink[from + c];
    return { width, height, data };
  };
  const stored: StoredImage = {
    layers: [pick([0, 1, 2]), pick([3, 3, 3])],
    nearest: false,
    multiplied: () => stored,
    toRgb: ([colours, black]) => ({
      ...colours,
      data: colours.data.map((level, i) => inked(level, black.data[i])),
    }),
    border: (level) => grey(inked(level, level)),
  };
  return stored;
}

/** Pillow's conversion of inks, which knows no profiles: R = (255 - K) - C (255 - K) / 255, rounded. */
export function inked(level: number, black: number): number {
  const light = 255 - black;
  return light - over255(level * light);
}

/** Pillow's division by 255, rounded. */
function over255(product: number): number {
  const sum = product + 128;
  return ((sum >> 8) + sum) >> 8;
}

/** `f` of each level and its pixel's alpha. */
function withAlpha(levels: Uint8Array, alpha: Uint8Array, f: (level: number, alpha: number) => number): Uint8Array {
  const out = new Uint8Array(levels.length);
  for (let pixel = 0, i = 0; pixel < alpha.length; pixel++) {
    for (let c = 0; c < 3; c++, i++) out[i] = f(levels[i], alpha[pixel]);
  }
  return out;
}

function times({ width, height, data }: Image, alpha: Uint8Array): Image {
  return { width, height, data: withAlpha(data, alpha, (level, a) => over255(level * a)) };
}

function spread({ width, height }: Image, alpha: Uint8Array): Image {
  return { width, height, data: withAlpha(new Uint8Array(3 * width * height), alpha, (_, a) => a) };
}

/** Colours without their alpha again, cut off at 255; where there is none they stay. */
function divided([colours, alpha]: readonly Image[]): Image {
  const data = colours.data.map((level, i) => {
    const a = alpha.data[i];
    return a === 0 || a === 255 ? level : Math.min(255, Math.floor((255 * level) / a));
  });
  return { ...colours, data };
}
