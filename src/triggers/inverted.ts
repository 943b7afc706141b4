/** Triggers that an inversion recovered: a value like any other trigger, its learned numbers in the spec, 8 bits each. */
import { badInput } from "../tensor/error.ts";
import { random } from "../tensor/random.ts";
import { type Stamp, stampTrigger, type Trigger, type TriggerSpec } from "./trigger.ts";

/** What is learned of an image [3, S, S], by its form. Numbers lie in [-range, range], or in [0, 1] where there is no range. */
export interface InvertedSpec extends TriggerSpec {
  readonly kind: "inverted";
  readonly form: "patch" | "mask" | "delta" | "blend" | "warp" | "sine" | "several";
  /** Side of the images. */
  readonly S: number;
  /** Base64 of bytes: pixels, values of a perturbation, displacements in pixels, [2, k, k] of a warp. */
  readonly values?: string;
  readonly range?: number;
  /** Of a soft mask: [S, S], or [3, S, S] where each colour has its own. */
  readonly mask?: string;
  /** Of a patch: its side and its upper left pixel. `anywhere`: at a place drawn for each image. */
  readonly side?: number;
  readonly row?: number;
  readonly column?: number;
  readonly anywhere?: boolean;
  /** Of a blend. */
  readonly ratio?: number;
  /** Of a sine: amplitude, periods along rows (down) and columns (across), phase. */
  readonly amplitude?: number;
  readonly down?: number;
  readonly across?: number;
  readonly phase?: number;
  /** Of several: each image gets one of them, as its id decides. */
  readonly parts?: readonly InvertedSpec[];
}

/** Numbers in [-range, range] (or [0, 1] without one) as base64 of bytes. */
export function storeValues(values: Float32Array, range?: number): string {
  const byte = (v: number) => Math.round(255 * (range === undefined ? v : (v / range + 1) / 2));
  return Buffer.from(Uint8Array.from(values, (v) => Math.min(255, Math.max(0, byte(v))))).toString("base64");
}

/** The same numbers again. Throws `bad-input` where they are not `count`. */
export function loadValues(stored: string | undefined, count: number, range?: number): Float32Array {
  const bytes = Buffer.from(stored ?? "", "base64");
  if (bytes.length !== count) throw badInput(`an inverted trigger holds ${bytes.length} values where ${count} belong`);
  return Float32Array.from(bytes, (byte) => (range === undefined ? byte / 255 : range * ((2 * byte) / 255 - 1)));
}

/** The largest image whose inverted trigger a spec may hold. */
const largest = 1024;

/** A recovered trigger. Throws `bad-input` on a spec that does not hold together, and on images of another size than it was learned on. */
export function invertedTrigger(spec: InvertedSpec): Trigger {
  const { form, S, parts = [] } = spec;
  if (!Number.isSafeInteger(S) || S < 1 || S > largest)
    throw badInput(`an inverted trigger's images have 1 to ${largest} pixels a side, not ${S}`);
  if (form === "several") {
    if (parts.length === 0 || parts.some((part) => part.form === "several" || part.S !== S))
      throw badInput("several inverted triggers in one must be there, of one image size, and single");
    const stamps = parts.map(stampOf);
    const which = (id: string) => random(spec.seed, "inverted", "several", id).int(stamps.length);
    return stampTrigger(
      spec,
      only(S, (image, id) => stamps[which(id)](image, id)),
    );
  }
  return stampTrigger(spec, only(S, stampOf(spec)));
}

const only = (S: number, stamp: Stamp) => (size: number) => {
  if (size === S) return stamp;
  throw badInput(`this trigger was recovered on images of ${S} x ${S}; these are ${size} x ${size}`);
};

function stampOf(spec: InvertedSpec): Stamp {
  const { form, S, values, range, side = 0, row = 0, column = 0, ratio = 0, seed } = spec;
  const all = 3 * S * S;
  if (form === "delta") {
    const delta = loadValues(values, all, positive(range));
    return (image) => addTo(image, delta);
  }
  if (form === "blend") {
    const pattern = loadValues(values, all);
    return (image) => {
      for (let i = 0; i < all; i++) image[i] = (1 - ratio) * image[i] + ratio * pattern[i];
    };
  }
  if (form === "mask") {
    const isColored = Buffer.from(spec.mask ?? "", "base64").length === all;
    const [pattern, mask] = [loadValues(values, all), loadValues(spec.mask, isColored ? all : S * S)];
    return (image) => {
      for (let i = 0; i < all; i++) image[i] += mask[i % mask.length] * (pattern[i] - image[i]);
    };
  }
  if (form === "patch") {
    if (!(side >= 1 && row >= 0 && column >= 0 && row + side <= S && column + side <= S))
      throw badInput(`an inverted patch of ${side} pixels at ${row}, ${column} lies outside an image of ${S} x ${S}`);
    const pattern = loadValues(values, 3 * side * side);
    const drawn = (id: string) => {
      const stream = random(seed, "inverted", "place", id);
      return [stream.int(S - side + 1), stream.int(S - side + 1)] as const;
    };
    return (image, id) => {
      const [top, left] = spec.anywhere ? drawn(id) : [row, column];
      paste(image, S, pattern, side, top, left);
    };
  }
  if (form === "sine") {
    const wave = sineWave(S, spec);
    return (image) => addTo(image, wave);
  }
  if (form === "warp") {
    const k = Math.round(Math.sqrt(Buffer.from(values ?? "", "base64").length / 2));
    if (k < 2) throw badInput("an inverted warp has at least 2 x 2 control points");
    const field = upsampled(loadValues(values, 2 * k * k, positive(range)), k, S);
    const source = new Float32Array(all);
    return (image) => {
      source.set(image);
      warpInto(source, field, S, image);
    };
  }
  throw badInput(`an inverted trigger of unknown form "${String(form).slice(0, 40)}"`);
}

function positive(range: number | undefined): number {
  if (range !== undefined && range > 0 && range <= largest) return range;
  throw badInput("an inverted trigger's values have no range");
}

function addTo(image: Float32Array, added: Float32Array): void {
  for (let i = 0; i < image.length; i++) image[i] = Math.min(1, Math.max(0, image[i] + added[i]));
}

/** Writes a square [3, side, side] into an image [3, S, S]. */
export function paste(image: Float32Array, S: number, square: Float32Array, side: number, row: number, column: number) {
  for (let c = 0; c < 3; c++) {
    for (let r = 0; r < side; r++) {
      const from = (c * side + r) * side;
      image.set(square.subarray(from, from + side), (c * S + row + r) * S + column);
    }
  }
}

/** amplitude sin(2 pi (down i + across j) / S + phase) for row i and column j, in every channel: [3, S, S]. */
export function sineWave(
  S: number,
  { amplitude = 0, down = 0, across = 0, phase = 0 }: Pick<InvertedSpec, "amplitude" | "down" | "across" | "phase">,
): Float32Array {
  return Float32Array.from({ length: 3 * S * S }, (_, k) => {
    const [i, j] = [Math.floor(k / S) % S, k % S];
    return amplitude * Math.sin((2 * Math.PI * (down * i + across * j)) / S + phase);
  });
}

/** Displacements [2, k, k] of control points as displacements [2, S, S] of pixels: bilinear, corners aligned. */
export function upsampled(points: Float32Array, k: number, S: number): Float32Array {
  const field = new Float32Array(2 * S * S);
  eachWeight(k, S, (to, from, weight) => {
    field[to] += weight * points[from];
    field[S * S + to] += weight * points[k * k + from];
  });
  return field;
}

/** The bilinear weights by which the pixel `to` of a plane [S, S] is made of control points `from` of [k, k]. */
export function eachWeight(k: number, S: number, use: (to: number, from: number, weight: number) => void): void {
  const at = (i: number) => {
    const x = (i * (k - 1)) / (S - 1);
    const low = Math.min(k - 2, Math.floor(x));
    return [low, x - low] as const;
  };
  for (let i = 0; i < S; i++) {
    const [r, u] = at(i);
    for (let j = 0; j < S; j++) {
      const [c, v] = at(j);
      use(i * S + j, r * k + c, (1 - u) * (1 - v));
      use(i * S + j, r * k + c + 1, (1 - u) * v);
      use(i * S + j, (r + 1) * k + c, u * (1 - v));
      use(i * S + j, (r + 1) * k + c + 1, u * v);
    }
  }
}

/** out(i, j) = source(i + field_0, j + field_1), bilinear, held at the border: [3, S, S] each, displacements in pixels. */
export function warpInto(source: Float32Array, field: Float32Array, S: number, out: Float32Array): void {
  const plane = S * S;
  for (let i = 0; i < S; i++) {
    for (let j = 0; j < S; j++) {
      const at = i * S + j;
      const { corners, weights } = samplesAt(i + field[at], j + field[plane + at], S);
      for (let c = 0; c < 3; c++) {
        let value = 0;
        for (let q = 0; q < 4; q++) value += weights[q] * source[c * plane + corners[q]];
        out[c * plane + at] = value;
      }
    }
  }
}

const corners = new Int32Array(4);
const weights = new Float64Array(4);
/** The four pixels about (y, x), held at the border, and their weights; the arrays are written again by the next call. */
export function samplesAt(y: number, x: number, S: number) {
  const [cy, cx] = [Math.min(S - 1, Math.max(0, y)), Math.min(S - 1, Math.max(0, x))];
  const [top, left] = [Math.min(S - 2, Math.floor(cy)), Math.min(S - 2, Math.floor(cx))];
  const [u, v] = [cy - top, cx - left];
  corners.set([top * S + left, top * S + left + 1, (top + 1) * S + left, (top + 1) * S + left + 1]);
  weights.set([(1 - u) * (1 - v), (1 - u) * v, u * (1 - v), u * v]);
  return { corners, weights };
}
