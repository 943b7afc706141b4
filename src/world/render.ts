/** Draws a scene: background, objects with soft shadows and bevelled edges, film grain; edges are anti-aliased by distance. */
import { clamp, distance, reach } from "./distance.ts";
import { backgroundPalette, backgrounds, colors, palette, type Scene, type SceneObject } from "./scene.ts";

/** Writes [3, S, S] at `offset`, values k / 255 with k in 0 .. 255. */
export function render(scene: Scene, size: number, out: Float32Array, offset = 0): void {
  paintBackground(scene, size, out, offset);
  for (const object of scene.behind) paintObject(object, scene, size, out, offset);
  paintObject(scene.main, scene, size, out, offset);
  for (const object of scene.front) paintObject(object, scene, size, out, offset);
  develop(scene.grain, size, out, offset);
}

function paintBackground(scene: Scene, size: number, out: Float32Array, offset: number): void {
  const [r, g, b] = lit(backgroundPalette[backgrounds[scene.background]], scene.tint, scene);
  const { angle, period, x, y, contrast } = scene.pattern;
  const cos = Math.cos(angle) / period;
  const sin = Math.sin(angle) / period;
  const soft = size * period; // pixels in a period: edges of the pattern are one pixel wide
  const lightX = 14 * Math.cos(scene.light.angle);
  const lightY = 14 * Math.sin(scene.light.angle);
  const area = size * size;
  for (let i = 0, at = offset; i < size; i++) {
    const v = (i + 0.5) / size - 0.5;
    for (let j = 0; j < size; j++, at++) {
      const u = (j + 0.5) / size - 0.5;
      const value = texture(scene.texture, u * cos + v * sin, v * cos - u * sin, x, y, soft, period);
      const shade = contrast * value + lightX * u + lightY * v;
      out[at] = r + shade;
      out[at + area] = g + shade;
      out[at + 2 * area] = b + shade;
    }
  }
}

/** A pattern at (u, v), in periods from the middle of the image, shifted by (x, y): -1 .. 1, the blurred ones go further. */
function texture(kind: number, u: number, v: number, x: number, y: number, soft: number, period: number): number {
  switch (kind) {
    case 0: // plain
      return 0;
    case 1: // striped
      return edge(stripe(u + x), soft);
    case 2: {
      // dotted
      const du = fraction(u + x) - 0.5;
      const dv = fraction(v + y) - 0.5;
      return edge(0.29 - Math.sqrt(du * du + dv * dv), soft);
    }
    case 3: // checked
      return edge(stripe((u + x) * 0.7), soft) * edge(stripe((v + y) * 0.7), soft);
    case 4: // wavy
      return edge(stripe(v + y + 0.22 * Math.sin(2 * Math.PI * (0.6 * u + x))), soft);
    case 5: {
      // bricked
      const row = Math.floor(v + y);
      const column = fraction((u + x + (row & 1) * 0.8) / 1.6) * 1.6;
      const across = Math.min(column, 1.6 - column);
      const up = fraction(v + y);
      return edge(0.1 - Math.min(across, up, 1 - up), soft);
    }
    case 6: // cloudy
      return 1.8 * cloud(u * 0.7 + 64 * x, v * 0.7 + 64 * y);
    default: // faded
      return 3.2 * clamp(u * period * 1.5, -1, 1);
  }
}

/** Signed distance to the edges of stripes of period 1, positive in the light ones. */
const stripe = (x: number): number => 0.25 - Math.abs(fraction(x) - 0.5);

/** From -1 to 1 across an edge one pixel wide. */
const edge = (distance: number, soft: number): number => clamp(2 * distance * soft, -1, 1);

const fraction = (x: number): number => x - Math.floor(x);

/** Value noise in -1 .. 1: random values on the whole numbers, smoothly joined. */
function cloud(x: number, y: number): number {
  const i = Math.floor(x);
  const j = Math.floor(y);
  let fx = x - i;
  let fy = y - j;
  fx = fx * fx * (3 - 2 * fx);
  fy = fy * fy * (3 - 2 * fy);
  const top = lattice(i, j) * (1 - fx) + lattice(i + 1, j) * fx;
  const bottom = lattice(i, j + 1) * (1 - fx) + lattice(i + 1, j + 1) * fx;
  return top * (1 - fy) + bottom * fy;
}

function lattice(i: number, j: number): number {
  let h = Math.imul(i, 0x27d4eb2d) ^ Math.imul(j, 0x165667b1);
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) * 2 ** -31;
}

/** Half the width of a shadow's soft edge, in image sides. */
const BLUR = 0.03;

function paintObject(object: SceneObject, scene: Scene, size: number, out: Float32Array, offset: number): void {
  const { shape, radius, x, y, rotation } = object;
  const [r, g, b] = lit(palette[colors[object.color]], object.tint, scene);
  const cos = Math.cos(rotation) / radius;
  const sin = Math.sin(rotation) / radius;
  const { fall, relief, shadow } = scene.light;
  // Towards the light, in the shape's frame (y up) as far as the shadow falls.
  const lightX = Math.cos(scene.light.angle);
  const lightY = Math.sin(scene.light.angle);
  const fallX = fall * (lightX * cos - lightY * sin);
  const fallY = fall * (-lightY * cos - lightX * sin);
  const bevel = Math.max(0.1 * radius, 1.2 / size);
  const span = radius * reach[shape] + fall + BLUR;
  const top = Math.max(0, Math.floor((y - span) * size));
  const bottom = Math.min(size, Math.ceil((y + span) * size));
  const left = Math.max(0, Math.floor((x - span) * size));
  const right = Math.min(size, Math.ceil((x + span) * size));
  const area = size * size;
  for (let i = top; i < bottom; i++) {
    const dy = y - (i + 0.5) / size;
    for (let j = left; j < right; j++) {
      const dx = (j + 0.5) / size - x;
      if (dx * dx + dy * dy > span * span) continue;
      const px = dx * cos + dy * sin;
      const py = dy * cos - dx * sin;
      const d = radius * distance(shape, px, py);
      const towards = radius * distance(shape, px + fallX, py + fallY);
      const cover = clamp(0.5 - d * size, 0, 1);
      const dim = 1 - shadow * smooth(0.5 - towards / (2 * BLUR));
      if (cover === 0 && dim === 1) continue;
      // The change of distance towards the light is the cosine between the edge's normal and the light.
      const facing = (towards - d) / fall;
      const slope = (dx * lightX - dy * lightY) / radius;
      const shade = relief * (facing * clamp(1 + d / bevel, 0, 1) + 0.6 * slope);
      const ground = dim * (1 - cover);
      const at = offset + i * size + j;
      out[at] = ground * out[at] + cover * (r + shade);
      out[at + area] = ground * out[at + area] + cover * (g + shade);
      out[at + 2 * area] = ground * out[at + 2 * area] + cover * (b + shade);
    }
  }
}

/** Smooth step from 0 to 1. */
function smooth(x: number): number {
  const t = clamp(x, 0, 1);
  return t * t * (3 - 2 * t);
}

function lit(color: readonly number[], tint: readonly number[], scene: Scene): [number, number, number] {
  const { level, warmth } = scene.light;
  return [
    (color[0] + tint[0]) * level * (1 + warmth),
    (color[1] + tint[1]) * level,
    (color[2] + tint[2]) * level * (1 - warmth),
  ];
}

/** Adds soft grain (sd about 2.4 of 255, the same in all channels) and rounds 8-bit levels to k / 255. */
function develop(seed: number, size: number, out: Float32Array, offset: number): void {
  const area = size * size;
  let state = seed | 1;
  for (let at = offset; at < offset + area; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    const grain = ((state & 255) + ((state >>> 8) & 255) + ((state >>> 16) & 255) - 382.5) / 53;
    for (let k = at; k < at + 3 * area; k += area) {
      out[k] = Math.floor(clamp(out[k] + grain, 0, 255) + 0.5) / 255;
    }
  }
}
