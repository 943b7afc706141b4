import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { assemble } from "../../../scripts/assemble.ts";
import { random } from "../../tensor/random.ts";
import { resample, type Weights, weightBits, writePixels } from "./resample.ts";
import { resampleWasm } from "./resample-wasm.ts";

const round = (sum: number) => Math.min(255, Math.max(0, Math.floor(sum / 2 ** weightBits + 0.5)));

/** Sums of `taps` neighbours among `input`, at rising places; weights from -0.1 to 0.35, so that five stay below the sum's limit of 2. */
function drawn(input: number, positions: number, rng: ReturnType<typeof random>): Weights {
  const taps = Math.min(5, input);
  const first = Int32Array.from({ length: positions }, () => rng.int(input - taps + 1)).sort();
  const table = Int32Array.from({ length: positions * taps }, () => (rng.int(450) - 100) * 4194);
  return { first, count: new Int32Array(positions).fill(taps), table, taps };
}

test.each([
  [7, 5, 3, 4],
  [1, 1, 1, 1],
  [33, 20, 17, 9],
  [400_000, 3, 2, 2],
  [9, 18, 8, 7],
  [21, 19, 17, 11],
  [6, 16, 5, 16],
])(
  "%i x %i -> %i x %i: round(sum of weights times rows), then of columns, clipped to 0 .. 255",
  (width, height, outWidth, outHeight) => {
    const rng = random(1, width);
    const data = Uint8Array.from({ length: 3 * width * height }, () => rng.int(256));
    const across = drawn(width, outWidth, rng);
    const down = drawn(height, outHeight, rng);
    const narrow = (y: number, x: number, c: number) => {
      let sum = 0;
      for (let k = 0; k < across.count[x]; k++)
        sum += across.table[across.taps * x + k] * data[(y * width + across.first[x] + k) * 3 + c];
      return round(sum);
    };
    const want: number[] = [];
    for (let y = 0; y < outHeight; y++)
      for (let x = 0; x < outWidth; x++)
        for (let c = 0; c < 3; c++) {
          let sum = 0;
          for (let k = 0; k < down.count[y]; k++)
            sum += down.table[down.taps * y + k] * narrow(down.first[y] + k, x, c);
          want.push(round(sum));
        }
    const got = resample({ width, height, data }, across, down);
    expect([got.width, got.height]).toEqual([outWidth, outHeight]);
    expect([...got.data]).toEqual(want);
  },
);

test.each([
  [2, 1],
  [1, 1],
  [5, 3],
  [700, 500],
])("%i x %i pixels: bytes [H, W, 3] -> x / 255 as [3, H, W]", (width, height) => {
  const rng = random(2, width);
  const data = Uint8Array.from({ length: 3 * width * height }, () => rng.int(256));
  const out = new Float32Array(data.length);
  writePixels({ width, height, data }, out);
  const plane = width * height;
  expect(out.every((value, i) => value === Math.fround(data[3 * (i % plane) + Math.floor(i / plane)] / 255))).toBe(
    true,
  );
});

test("resample-wasm.ts is resample.wat assembled (npm run wasm)", async () => {
  expect(resampleWasm).toBe(await assemble(readFileSync("src/data/images/resample.wat", "utf8")));
});
