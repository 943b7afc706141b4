/** Scenes as a seed draws them: a main object that is whole, and up to two smaller ones that hide little of it. */
import { type Random, random } from "../tensor/random.ts";
import { distance, reach, shapes } from "./distance.ts";
import { backgrounds, colors, type Rgb, type Scene, type SceneObject, sizes, textures } from "./scene.ts";

/** The scene of a path such as (seed, split, index). */
export function drawScene(seed: number, split: string, index: number): Scene {
  const r = random(seed, "shapes", split, index);
  const shape = r.int(shapes.length);
  const color = r.int(colors.length);
  const background = r.int(backgrounds.length);
  const texture = r.int(textures.length);
  const size = r.int(sizes.length);
  const radius = 0.235 + 0.0325 * size + 0.025 * r.uniform();
  const main = place(r, shape, color, radius);
  const behind: SceneObject[] = [];
  const front: SceneObject[] = [];
  const distractors = r.int(3);
  for (let n = 0; n < distractors; n++) {
    const other = distractor(r, main);
    if (n === 0 && r.uniform() < 0.4) {
      const occluder = overlap(r, other, main);
      if (occluder !== undefined) front.push(occluder);
    } else {
      const apart = keepApart(r, other, [main, ...front, ...behind]);
      if (apart !== undefined) behind.push(apart);
    }
  }
  const pattern = {
    angle: texture === bricked ? between(r, -0.25, 0.25) : between(r, 0, Math.PI),
    period: between(r, 0.17, 0.25),
    x: r.uniform(),
    y: r.uniform(),
    contrast: between(r, 10, 16),
  };
  const light = {
    angle: between(r, 0, 2 * Math.PI),
    level: between(r, 0.88, 1.08),
    warmth: between(r, -0.03, 0.03),
    shadow: between(r, 0.05, 0.45),
    fall: between(r, 0.01, 0.04),
    relief: between(r, 4, 36),
  };
  return { main, size, background, tint: tint(r), texture, pattern, light, behind, front, grain: r.int(2 ** 32) };
}

const bricked = textures.indexOf("bricked");

/** Most of the main object's area that a distractor may hide. */
export const mostHidden = 0.15;

const between = (r: Random, low: number, high: number): number => low + (high - low) * r.uniform();

const tint = (r: Random): Rgb => [between(r, -6, 6), between(r, -6, 6), between(r, -6, 6)];

/** An object anywhere in the image, whole. */
function place(r: Random, shape: number, color: number, radius: number): SceneObject {
  const margin = radius * reach[shape] + 0.01;
  return {
    shape,
    color,
    tint: tint(r),
    x: between(r, margin, 1 - margin),
    y: between(r, margin, 1 - margin),
    radius,
    rotation: between(r, -1.2, 1.2),
  };
}

/** Little more than half as wide as the main object at most, of another shape and another colour. */
function distractor(r: Random, main: SceneObject): SceneObject {
  const shape = (main.shape + 1 + r.int(shapes.length - 1)) % shapes.length;
  const color = (main.color + 1 + r.int(colors.length - 1)) % colors.length;
  const width = between(r, 0.28, 0.41) * main.radius;
  return place(r, shape, color, width / reach[shape]);
}

/** The object moved until it touches none of the others, or nothing if there seems to be no room. */
function keepApart(r: Random, object: SceneObject, others: readonly SceneObject[]): SceneObject | undefined {
  const margin = object.radius * reach[object.shape] + 0.01;
  for (let attempt = 0; attempt < 12; attempt++) {
    const moved = { ...object, x: between(r, margin, 1 - margin), y: between(r, margin, 1 - margin) };
    if (others.every((o) => Math.hypot(o.x - moved.x, o.y - moved.y) > margin + o.radius * reach[o.shape]))
      return moved;
  }
  return undefined;
}

/** The object moved to where it hides a little of the main one, or nothing if that did not come about. */
function overlap(r: Random, object: SceneObject, main: SceneObject): SceneObject | undefined {
  for (let attempt = 0; attempt < 8; attempt++) {
    const angle = between(r, 0, 2 * Math.PI);
    const far = between(r, 0.6, 1.1) * main.radius * reach[main.shape];
    const moved = { ...object, x: main.x + far * Math.cos(angle), y: main.y + far * Math.sin(angle) };
    const inside = Math.min(moved.x, 1 - moved.x, moved.y, 1 - moved.y) > 0.05;
    const share = inside ? hiddenShare(main, moved) : 0;
    if (share > 0.02 && share <= mostHidden) return moved;
  }
  return undefined;
}

/** The share of the main object's area that lies under another, counted on a 24 x 24 grid over the main object. */
export function hiddenShare(main: SceneObject, over: SceneObject): number {
  const span = main.radius * reach[main.shape];
  let area = 0;
  let hidden = 0;
  for (let i = 0; i < 24; i++) {
    for (let j = 0; j < 24; j++) {
      const x = main.x + span * ((j + 0.5) / 12 - 1);
      const y = main.y + span * ((i + 0.5) / 12 - 1);
      if (!covers(main, x, y)) continue;
      area++;
      if (covers(over, x, y)) hidden++;
    }
  }
  return hidden / area;
}

/** Whether a point of the image lies on the object. */
export function covers(object: SceneObject, x: number, y: number): boolean {
  const cos = Math.cos(object.rotation) / object.radius;
  const sin = Math.sin(object.rotation) / object.radius;
  const dx = x - object.x;
  const dy = object.y - y;
  return distance(object.shape, dx * cos + dy * sin, dy * cos - dx * sin) < 0;
}
