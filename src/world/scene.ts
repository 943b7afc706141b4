/** What an image of the world shows, as plain data. Lengths are fractions of the image side, y points down. */
export type Rgb = readonly [number, number, number];

/** The colours of objects, 0 to 255: far apart, and far from every background. */
export const palette: Readonly<Record<string, Rgb>> = {
  red: [214, 46, 50],
  yellow: [247, 208, 58],
  green: [58, 154, 76],
  cyan: [48, 196, 206],
  blue: [50, 90, 208],
  purple: [128, 64, 178],
  pink: [242, 122, 180],
  brown: [120, 70, 36],
  white: [248, 247, 243],
  black: [36, 36, 42],
};

/** The colours of backgrounds: muted, of middling lightness. */
export const backgroundPalette: Readonly<Record<string, Rgb>> = {
  sand: [212, 190, 148],
  slate: [92, 106, 128],
  sky: [158, 194, 224],
  mint: [160, 204, 176],
  rose: [218, 176, 172],
  lilac: [184, 172, 214],
  stone: [152, 148, 144],
  moss: [130, 140, 98],
};

export const colors: readonly string[] = Object.keys(palette);
export const backgrounds: readonly string[] = Object.keys(backgroundPalette);
export const textures = ["plain", "striped", "dotted", "checked", "wavy", "bricked", "cloudy", "faded"] as const;
export const sizes = ["small", "medium", "large"] as const;

/** A shape in the scene. Labels are indices into `shapes` and `colors`. */
export interface SceneObject {
  readonly shape: number;
  readonly color: number;
  /** Added to the colour, in 8-bit levels. */
  readonly tint: Rgb;
  readonly x: number;
  readonly y: number;
  /** Length of the shape's unit; its farthest point lies `radius * reach[shape]` from (x, y). */
  readonly radius: number;
  /** Radians. */
  readonly rotation: number;
}

export interface Scene {
  readonly main: SceneObject;
  /** Index into `sizes`. */
  readonly size: number;
  /** Index into `backgrounds`. */
  readonly background: number;
  /** Added to the background's colour, in 8-bit levels. */
  readonly tint: Rgb;
  /** Index into `textures`. */
  readonly texture: number;
  /** The texture's frame: direction, length of a period, offset and half its contrast in 8-bit levels. */
  readonly pattern: {
    readonly angle: number;
    readonly period: number;
    readonly x: number;
    readonly y: number;
    readonly contrast: number;
  };
  readonly light: {
    /** Where light comes from. */
    readonly angle: number;
    /** The brightness it gives, about 1. */
    readonly level: number;
    /** Red gains and blue loses this share. */
    readonly warmth: number;
    /** The depth of its shadows, 0 .. 1, and how far they fall. */
    readonly shadow: number;
    readonly fall: number;
    /** How much it brightens and darkens the rims of objects, in 8-bit levels. */
    readonly relief: number;
  };
  /** Smaller objects of other shapes and colours, behind and in front of the main one. */
  readonly behind: readonly SceneObject[];
  readonly front: readonly SceneObject[];
  /** Seed of the film grain. */
  readonly grain: number;
}
