/** Signed distance functions of the ten shapes, in a frame where y points up and a shape is about one unit in radius. */

/** In the order of the shape label; every name can follow "a". */
export const shapes = [
  "circle",
  "square",
  "triangle",
  "star",
  "heart",
  "cross",
  "ring",
  "moon",
  "pill",
  "fish",
] as const;

/** Radius of the circle around the origin that holds the shape. All have an area of 1.8, so slender ones reach farther. */
export const reach: readonly number[] = [0.757, 0.93, 1.12, 1.06, 0.91, 0.95, 0.868, 1.06, 1.17, 1.16];

const SQRT3 = Math.sqrt(3);
const COS36 = Math.cos(Math.PI / 5);
const SIN36 = Math.sin(Math.PI / 5);

/** Distance from (x, y) to the edge of a shape, negative inside. Formulas: Inigo Quilez, "2D distance functions". */
export function distance(shape: number, x: number, y: number): number {
  switch (shape) {
    case 0: // circle
      return length(x, y) - 0.757;
    case 1:
      return square(x, y);
    case 2:
      return triangle(x, y);
    case 3:
      return star(x, y);
    case 4:
      return heart(x, y);
    case 5:
      return cross(x, y);
    case 6: // ring
      return Math.abs(length(x, y) - 0.646) - 0.222;
    case 7:
      return moon(x, y);
    case 8: // pill
      return length(x - clamp(x, -0.75, 0.75), y) - 0.418;
    default:
      return fish(x, y);
  }
}

const length = (x: number, y: number): number => Math.sqrt(x * x + y * y);

export const clamp = (x: number, low: number, high: number): number => (x < low ? low : x > high ? high : x);

function square(x: number, y: number): number {
  const qx = Math.abs(x) - 0.6225;
  const qy = Math.abs(y) - 0.6225;
  return length(Math.max(qx, 0), Math.max(qy, 0)) + Math.min(Math.max(qx, qy), 0) - 0.05;
}

/** Equilateral, half a side 0.97 long, corners rounded. */
function triangle(x: number, y: number): number {
  let px = Math.abs(x) - 0.91;
  let py = y + 0.91 / SQRT3;
  if (px + SQRT3 * py > 0) {
    const qx = (px - SQRT3 * py) / 2;
    py = (-SQRT3 * px - py) / 2;
    px = qx;
  }
  px -= clamp(px, -1.82, 0);
  return (py > 0 ? -length(px, py) : length(px, py)) - 0.064;
}

/** Five points at radius 1, notches at half of it. */
function star(x: number, y: number): number {
  let px = Math.abs(x);
  let py = y;
  let fold = 2 * Math.max(COS36 * px - SIN36 * py, 0);
  px -= fold * COS36;
  py += fold * SIN36;
  fold = 2 * Math.max(-COS36 * px - SIN36 * py, 0);
  px += fold * COS36;
  py += fold * SIN36;
  px = Math.abs(px);
  py -= 1;
  const bx = 0.5 * SIN36;
  const by = 0.5 * COS36 - 1;
  const h = clamp((px * bx + py * by) / (bx * bx + by * by), 0, 1);
  const d = length(px - bx * h, py - by * h);
  return (py * bx - px * by < 0 ? -d : d) - 0.05;
}

function heart(x: number, y: number): number {
  const scale = 1.42;
  const px = Math.abs(x) / scale;
  const py = y / scale + 0.62;
  if (px + py > 1) return (length(px - 0.25, py - 0.75) - Math.SQRT2 / 4) * scale;
  const m = 0.5 * Math.max(px + py, 0);
  const d = Math.min(length(px, py - 1), length(px - m, py - m)) * scale;
  return px < py ? -d : d;
}

function cross(x: number, y: number): number {
  let px = Math.abs(x);
  let py = Math.abs(y);
  if (py > px) [px, py] = [py, px];
  const qx = px - 0.86;
  const qy = py - 0.25;
  const k = Math.max(qx, qy);
  const d = k > 0 ? length(Math.max(qx, 0), Math.max(qy, 0)) : -length(Math.max(0.25 - px, 0), -k);
  return d - 0.05;
}

/** A disc of radius 1.057 without a disc of radius 0.82 that stands 0.54 to the right. */
function moon(x: number, y: number): number {
  const py = Math.abs(y);
  const a = (1.057 * 1.057 - 0.82 * 0.82 + 0.54 * 0.54) / (2 * 0.54);
  const b = Math.sqrt(1.057 * 1.057 - a * a);
  if (x * b - py * a > 0.54 * Math.max(b - py, 0)) return length(x - a, py - b);
  return Math.max(length(x, py) - 1.057, 0.82 - length(x - 0.54, py));
}

/** Half the length of the lens between two circles of radius 0.88 whose centres are 0.72 apart. */
const SNOUT = Math.sqrt(0.88 * 0.88 - 0.36 * 0.36);

/** A lens for the body, a wedge for the tail. */
function fish(x: number, y: number): number {
  const px = Math.abs(x + 0.26);
  const py = Math.abs(y);
  const lens = (px - SNOUT) * 0.36 > py * SNOUT ? length(px - SNOUT, py) : length(px, py + 0.36) - 0.88;
  const tail = Math.max(x - 0.92, 0.8 * py - 0.6 * (x - 0.16));
  return Math.min(lens, tail) - 0.04;
}
