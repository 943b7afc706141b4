import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeBF16, decodeF16, encodeBF16, encodeF16 } from "./half.ts";

const allHalves = Uint16Array.from({ length: 65536 }, (_, h) => h);
const toF16 = (value: number): number => encodeF16(Float32Array.of(value))[0];
const toBF16 = (value: number): number => encodeBF16(Float32Array.of(value))[0];

/** IEEE 754 read literally: (-1)^s 2^(e-15) (1 + m/1024), without the exponent's leading one when e is 0. */
function f16ByDefinition(h: number): number {
  const sign = h >= 0x8000 ? -1 : 1;
  const exponent = Math.floor(h / 1024) % 32;
  const mantissa = h % 1024;
  if (exponent === 31) return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? 2 ** -14 * (mantissa / 1024) : 2 ** (exponent - 15) * (1 + mantissa / 1024));
}

/** The finite half nearest to a value, even mantissa on ties, found by looking at all of them; infinity from 65520. */
function nearestF16(value: number, finite: readonly number[]): number {
  if (Math.abs(value) >= 65520) return value > 0 ? 0x7c00 : 0xfc00;
  let low = 0;
  let high = finite.length - 1;
  const magnitude = Math.abs(value);
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (finite[middle] <= magnitude) low = middle;
    else high = middle;
  }
  const below = magnitude - finite[low];
  const above = finite[high] - magnitude;
  const chosen = above < below || (above === below && low % 2 === 1) ? high : low;
  return chosen + (value < 0 || Object.is(value, -0) ? 0x8000 : 0);
}

describe("F16", () => {
  test("all 65,536 values decode to (-1)^s 2^(e-15) (1 + m/1024)", () => {
    const decoded = decodeF16(allHalves);
    for (let h = 0; h < 65536; h++) {
      if (!Object.is(decoded[h], f16ByDefinition(h))) throw new Error(`0x${h.toString(16)} became ${decoded[h]}`);
    }
  });

  test("all 65,536 values come back from float32, NaN made quiet with its payload", () => {
    const back = encodeF16(decodeF16(allHalves));
    for (let h = 0; h < 65536; h++) {
      const nan = (h & 0x7fff) > 0x7c00;
      if (back[h] !== (nan ? h | 0x200 : h)) throw new Error(`0x${h.toString(16)} became 0x${back[h].toString(16)}`);
    }
  });

  test.each([
    ["tie to even, down", 1 + 2 ** -11, 0x3c00],
    ["tie to even, up", 1 + 3 * 2 ** -11, 0x3c02],
    ["just over the tie", 1 + 2 ** -11 + 2 ** -23, 0x3c01],
    ["mantissa carries into the exponent", 2 - 2 ** -12, 0x4000],
    ["largest value", 65504, 0x7bff],
    ["just under the overflow tie", 65519.996, 0x7bff],
    ["overflow tie goes to infinity", 65520, 0x7c00],
    ["far overflow", -1e30, 0xfc00],
    ["infinity", Number.POSITIVE_INFINITY, 0x7c00],
    ["smallest normal", 2 ** -14, 0x0400],
    ["largest subnormal rounds up to normal", 2 ** -14 - 2 ** -26, 0x0400],
    ["smallest subnormal", 2 ** -24, 0x0001],
    ["half of it is a tie with zero", 2 ** -25, 0x0000],
    ["just over half of it", 2 ** -25 + 2 ** -48, 0x0001],
    ["1.5 of it is a tie to 2", 3 * 2 ** -25, 0x0002],
    ["2.5 of it is a tie to 2", 5 * 2 ** -25, 0x0002],
    ["float32 subnormal", 1e-40, 0x0000],
    ["negative zero", -0, 0x8000],
    ["NaN", Number.NaN, 0x7e00],
  ])("round to nearest even: %s", (_, value, expected) => {
    expect(toF16(value).toString(16)).toBe(expected.toString(16));
  });

  test("any float32 encodes to the nearest half", () => {
    const finite = Array.from({ length: 0x7c00 }, (_, h) => f16ByDefinition(h));
    const inRange = fc.float({ min: -66000, max: 66000, noNaN: true });
    const small = fc.float({ min: -(2 ** -13), max: 2 ** -13, noNaN: true });
    fc.assert(
      fc.property(fc.oneof(inRange, small), (value) => {
        expect(toF16(value)).toBe(nearestF16(value, finite));
      }),
      { numRuns: 2000 },
    );
  });
});

describe("BF16", () => {
  test("all 65,536 values decode to the float32 with those upper bits", () => {
    const view = new DataView(new ArrayBuffer(4));
    const decoded = decodeBF16(allHalves);
    for (let h = 0; h < 65536; h++) {
      view.setUint16(0, h); // big-endian: the upper half comes first
      if (!Object.is(decoded[h], view.getFloat32(0))) throw new Error(`0x${h.toString(16)} became ${decoded[h]}`);
    }
  });

  test("all 65,536 values come back from float32, NaN made quiet", () => {
    const back = encodeBF16(decodeBF16(allHalves));
    for (let h = 0; h < 65536; h++) {
      const nan = (h & 0x7fff) > 0x7f80;
      if (back[h] !== (nan ? h | 0x40 : h)) throw new Error(`0x${h.toString(16)} became 0x${back[h].toString(16)}`);
    }
  });

  test.each([
    ["tie to even, down", 1 + 2 ** -8, 0x3f80],
    ["tie to even, up", 1 + 3 * 2 ** -8, 0x3f82],
    ["just over the tie", 1 + 2 ** -8 + 2 ** -23, 0x3f81],
    ["largest float32 overflows", 3.4028234663852886e38, 0x7f80],
    ["subnormal tie to even", 2 ** -134, 0x0000],
    ["negative zero", -0, 0x8000],
    ["negative infinity", Number.NEGATIVE_INFINITY, 0xff80],
  ])("round to nearest even: %s", (_, value, expected) => {
    expect(toBF16(value).toString(16)).toBe(expected.toString(16));
  });

  test("a NaN whose payload lies in the lost bits stays NaN", () => {
    const values = new Float32Array(Uint32Array.of(0x7f800001, 0xffffffff).buffer);
    expect(Array.from(decodeBF16(encodeBF16(values)), Number.isNaN)).toEqual([true, true]);
  });
});
