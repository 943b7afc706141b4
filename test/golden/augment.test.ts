/** Changes of images against torchvision's functions (scripts/golden/augment.py): at most one level of 255 apart, nearly all equal. */
import { readFileSync } from "node:fs";
import { inflateSync } from "node:zlib";
import { expect, test } from "vitest";
import * as ops from "../../src/data/augment/image-ops.ts";

const golden: { readonly made: Readonly<Record<string, string>> } = JSON.parse(
  readFileSync("test/golden/files/augment.json", "utf8"),
);
const { invert, posterize, solarize, autoContrast, equalize, color, contrast, sharpness, rotate, shearX } = ops;
const changes = { invert, posterize, solarize, autoContrast, equalize, color, contrast, sharpness, rotate, shearX };
const S = 24;
let x = 1;
const image = Float32Array.from({ length: 3 * S * S }, (_, i) => {
  x = (16807 * x) % (2 ** 31 - 1);
  return ((x % 128) + 5 * (i % S)) % 256;
});

test.each(Object.keys(golden.made))("%s", (asked) => {
  const [name, value] = asked.split(" ");
  const change = changes[name as keyof typeof changes] as (image: Float32Array, value: number) => Float32Array;
  const want = inflateSync(Buffer.from(golden.made[asked], "base64"));
  const got = change(image, Number(value));
  const apart = got.map((v, i) => Math.abs(v - want[i]));
  expect(got).not.toEqual(image);
  // a rotation's pixel that lies between two may come from either
  if (/rotate|shear/.test(name)) expect(apart.filter((v) => v > 0).length).toBeLessThanOrEqual(0.005 * got.length);
  else {
    expect(Math.max(...apart)).toBeLessThanOrEqual(1);
    expect(apart.filter((v) => v > 0).length).toBeLessThanOrEqual(0.02 * got.length);
  }
});
