/** Seeded random numbers: a stream is named by a path such as (seed, "poison", imageId), so that any draw can be repeated. */
import { xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";

export interface Random {
  /** U[0, 1), 32 bits of it. */
  uniform(): number;
  /** N(0, 1), by Box and Muller. */
  normal(): number;
  /** An integer in 0 .. n-1, each equally likely. */
  int(n: number): number;
  /** A new array, in random order (Fisher-Yates). */
  shuffle<T>(items: readonly T[]): T[];
  /** U[0, 1) in every place, 24 bits of it: whole images at once. */
  fillUniform(out: Float32Array): void;
  /** N(mean, deviation) in every place, by Marsaglia's polar method: faster than `normal`, and other numbers. */
  fillNormal(out: Float32Array, mean?: number, deviation?: number): void;
}

/** An independent stream for each path. Numbers and strings both work as parts of the path. */
export function random(...path: readonly (number | string)[]): Random {
  const g = xoroshiro128plusFromState(hash(path));
  const uniform = () => (g.next() >>> 0) * 2 ** -32;
  let spare: number | undefined;
  const normal = () => {
    if (spare !== undefined) {
      const kept = spare;
      spare = undefined;
      return kept;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
    const angle = 2 * Math.PI * uniform();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
  const int = (n: number) => {
    const limit = Math.floor(2 ** 32 / n) * n; // draws above it would favour small results
    let draw = g.next() >>> 0;
    while (draw >= limit) draw = g.next() >>> 0;
    return draw % n;
  };
  const shuffle = <T>(items: readonly T[]): T[] => {
    const out = [...items];
    for (let i = out.length - 1; i > 0; i--) {
      const j = int(i + 1);
      [out[i], out[j]] = [out[j], out[i]];
    }
    return out;
  };
  const fillUniform = (out: Float32Array) => {
    for (let i = 0; i < out.length; i++) out[i] = (g.next() >>> 8) * 2 ** -24; // 32 bits could round up to 1
  };
  const fillNormal = (out: Float32Array, mean = 0, deviation = 1) => {
    for (let i = 0; i < out.length; i += 2) {
      let u: number, v: number, square: number; // (u, v) uniform in the unit disc
      do {
        u = g.next() * 2 ** -31;
        v = g.next() * 2 ** -31;
        square = u * u + v * v;
      } while (square >= 1 || square === 0);
      const factor = deviation * Math.sqrt((-2 * Math.log(square)) / square);
      out[i] = mean + factor * u;
      if (i + 1 < out.length) out[i + 1] = mean + factor * v;
    }
  };
  return { uniform, normal, int, shuffle, fillUniform, fillNormal };
}

/** 128 well-mixed bits of a path: MurmurHash3's 32-bit mixing with four seeds. */
function hash(path: readonly (number | string)[]): [number, number, number, number] {
  const state: [number, number, number, number] = [0x9e3779b9, 0x243f6a88, 0xb7e15162, 0x6a09e667];
  const mix = (word: number) => {
    for (let lane = 0; lane < 4; lane++) {
      let k = Math.imul(word, 0xcc9e2d51);
      k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
      const h = state[lane] ^ k;
      state[lane] = (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64 + lane) | 0;
    }
  };
  for (const part of path) {
    if (typeof part === "string") {
      for (let i = 0; i < part.length; i++) mix(part.charCodeAt(i));
      mix(0x10000 + part.length);
    } else {
      mix(part | 0);
      mix(Math.floor(part / 2 ** 32) | 0);
    }
  }
  return state.map((h) => {
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    return (h ^ (h >>> 16)) | 0;
  }) as [number, number, number, number];
}
