/**
 * 16-bit floats as they lie in files, and float32: F16 (IEEE binary16: 1 sign, 5 exponent, 10 mantissa bits) and BF16
 * (the upper half of a float32). Decoding is exact; encoding rounds to nearest, ties to even, as PyTorch does.
 */

/** `out` may end where `halves` end in the same buffer: each value lies before the halves that are still to be read. */
export function decodeF16(halves: Uint16Array, out = new Float32Array(halves.length)): Float32Array {
  const table = (f16Table ??= makeF16Table());
  const bits = bitsOf(out);
  for (let i = 0; i < halves.length; i++) bits[i] = table[halves[i]];
  return out;
}

/** Values from 65520 on become infinity: callers that may not lose them check the result. */
export function encodeF16(values: Float32Array): Uint16Array {
  const bits = bitsOf(values);
  const out = new Uint16Array(values.length);
  for (let i = 0; i < bits.length; i++) out[i] = f16Bits(bits[i]);
  return out;
}

/** `out` as for `decodeF16`. */
export function decodeBF16(halves: Uint16Array, out = new Float32Array(halves.length)): Float32Array {
  const bits = bitsOf(out);
  for (let i = 0; i < halves.length; i++) bits[i] = halves[i] << 16;
  return out;
}

export function encodeBF16(values: Float32Array): Uint16Array {
  const bits = bitsOf(values);
  const out = new Uint16Array(values.length);
  for (let i = 0; i < bits.length; i++) {
    const x = bits[i];
    const nan = (x & 0x7fffffff) > 0x7f800000;
    out[i] = nan ? (x >>> 16) | 0x40 : (x + 0x7fff + ((x >>> 16) & 1)) >>> 16; // a NaN stays one: rounding could carry
  }
  return out;
}

/** All 65,536 half values as float32 bit patterns; 256 KiB, made on first use. */
let f16Table: Uint32Array | undefined;

function makeF16Table(): Uint32Array {
  const values = new Float32Array(65536);
  const bits = new Uint32Array(values.buffer);
  for (let h = 0; h < 65536; h++) {
    const sign = (h & 0x8000) << 16;
    const exponent = (h >>> 10) & 31;
    const mantissa = h & 0x3ff;
    if (exponent === 31) bits[h] = sign | 0x7f800000 | (mantissa << 13);
    else if (exponent > 0) bits[h] = sign | ((exponent + 112) << 23) | (mantissa << 13);
    else values[h] = (sign === 0 ? 1 : -1) * mantissa * 2 ** -24; // subnormal; -1 * 0 is -0
  }
  return bits;
}

/** One float32 bit pattern to one half. */
function f16Bits(x: number): number {
  const sign = (x >>> 16) & 0x8000;
  const a = x & 0x7fffffff;
  if (a > 0x7f800000) return sign | 0x7e00 | ((a >>> 13) & 0x3ff); // NaN, made quiet
  if (a >= 0x477ff000) return sign | 0x7c00; // from 65520, halfway between 65504 and 2^16
  if (a >= 0x38800000) return sign | ((a - 0x38000000 + 0xfff + ((a >>> 13) & 1)) >>> 13); // normal, from 2^-14
  const exponent = a >>> 23;
  if (exponent < 102) return sign; // below 2^-25, half of the smallest subnormal
  const shift = 126 - exponent; // 14 .. 24
  const mantissa = (a & 0x7fffff) | 0x800000;
  const kept = mantissa >>> shift;
  const rest = mantissa & ((1 << shift) - 1);
  const tie = 1 << (shift - 1);
  return sign | (kept + (rest > tie || (rest === tie && (kept & 1) === 1) ? 1 : 0));
}

const bitsOf = (values: Float32Array): Uint32Array => new Uint32Array(values.buffer, values.byteOffset, values.length);
