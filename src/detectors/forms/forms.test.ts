/** The adjoint of each form against central differences, its value as a trigger against its own stamp. */
import { describe, expect, it } from "vitest";
import { random } from "../../tensor/random.ts";
import { invertedTrigger } from "../../triggers/inverted.ts";
import { blend } from "./blend.ts";
import { colorMask } from "./color-mask.ts";
import { delta } from "./delta.ts";
import type { Form } from "./form.ts";
import { mask, maskShare, squashed } from "./mask.ts";
import { patch, patches } from "./patch.ts";
import { patchAnywhere } from "./patch-anywhere.ts";
import { warp } from "./warp.ts";

const S = 9;
const squares = patches(S, 3, [[0, 0], [4, 5]]); // biome-ignore format: places
const forms: readonly (readonly [name: string, form: Form])[] = [
  ["patch", patch(S, 3, [2, 4])],
  ["patches", squares],
  ["delta", delta(S, 0.1)],
  ["blend", blend(S, 0.2)],
  ["mask", mask(S, () => 0.3)],
  ["color-mask", colorMask(S, 0.3)],
  ["warp", warp(S, 3, 1.5)],
  ["patch-anywhere", patchAnywhere(S, 3)],
];

/** Far enough from 0 and 1 that nothing is clipped. */
const image = Float32Array.from(
  { length: 3 * S * S },
  (
    (stream) => () =>
      0.2 + 0.6 * stream.uniform()
  )(random(1, "image")),
);
const dy = Float32Array.from(
  image,
  (
    (stream) => () =>
      stream.normal()
  )(random(2, "dy")),
);

/** <dy, stamp(p)>. */
function along(form: Form, p: Float32Array): number {
  const out = new Float32Array(image.length);
  form.stamp(p, image, out);
  return out.reduce((sum, value, i) => sum + value * dy[i], 0);
}

describe.each(forms)("%s", (_, form) => {
  const p = form.start(random(3, "start"));
  // bilinear sampling has kinks at whole pixels: all displacements between them
  if (form.name === "warp") for (const [i, value] of p.entries()) p[i] = 0.4 + 0.2 * value;

  it("pull is the gradient of <dy, stamp(p, x)>: central differences", () => {
    const pulled = new Float32Array(form.size);
    form.pull(p, image, dy, pulled);
    const h = 1e-3;
    const differences = Array.from(p, (value, i) => {
      const at = (v: number) => along(form, Object.assign(p.slice(), { [i]: v }));
      return (at(value + h) - at(value - h)) / (2 * h);
    });
    const largest = Math.max(...differences.map(Math.abs));
    expect(largest).toBeGreaterThan(0.01);
    for (const [i, d] of differences.entries()) expect(Math.abs(d - pulled[i]), `${i}`).toBeLessThan(2e-3 * largest);
  });

  if (form !== squares)
    it("its trigger does to an image what stamp does, within 8 bits", async () => {
      const want = new Float32Array(image.length);
      form.stamp(p, image, want);
      const spec = form.trigger(p);
      const { data } = await invertedTrigger(JSON.parse(JSON.stringify(spec))).apply(
        { shape: [1, 3, S, S], data: image.slice() },
        ["x"],
      );
      if (!spec.anywhere)
        return expect(Math.max(...data.map((value, i) => Math.abs(value - want[i])))).toBeLessThan(0.02);
      // a trigger draws its own place, by the image's id
      const changed = data.filter((value, i) => value !== image[i]);
      expect(changed.length).toBe(27);
      const pattern = p.subarray(0, 27).map((v) => 1 / (1 + Math.exp(-v)));
      for (const [i, value] of changed.entries()) expect(Math.abs(value - pattern[i])).toBeLessThan(0.003);
    });
});

it("the trigger of patches is that of the first place alone", () => {
  const p = squares.start(random(3, "start"));
  expect(squares.trigger(p)).toEqual(patch(S, 3, [0, 0]).trigger(p.subarray(0, 27)));
});

it("where a perturbation is clipped, and where a warp is held at the border, there is no gradient", () => {
  const white = new Float32Array(3 * S * S).fill(1);
  const pulled = new Float32Array(3 * S * S);
  delta(S, 0.1).pull(new Float32Array(3 * S * S).fill(0.05), white, dy, pulled);
  expect(pulled.every((value) => value === 0)).toBe(true);
  const away = new Float32Array(2 * 9).fill(-2 * S);
  const bent = new Float32Array(2 * 9);
  warp(S, 3, 3 * S).pull(away, image, dy, bent);
  expect(bent.every((value) => value === 0)).toBe(true);
});

describe("penalties", () => {
  it.each([["mask", mask(S, () => 0.3), S * S] as const, ["color-mask", colorMask(S, 0.3), 3 * S * S] as const])(
    "%s: weight d|m|_1 / dp, by central differences",
    (_, form, masked) => {
      const p = form.start(random(4, "start"));
      const found = new Float32Array(form.size);
      form.penalty?.(p, found);
      const m = form.name === "mask" ? squashed : (v: number) => v;
      for (const i of [0, 5, masked - 1])
        expect(found[i]).toBeCloseTo((0.3 * (m(p[i] + 1e-4) - m(p[i] - 1e-4))) / 2e-4, 4);
      expect(Math.max(...found.subarray(masked).map(Math.abs))).toBe(0);
    },
  );

  it("the share of a mask is the mean of its values", () => {
    const p = new Float32Array(4 * S * S); // tanh(0) / 2 + 1/2
    expect(maskShare(S, p)).toBeCloseTo(0.5, 6);
    expect(maskShare(S, p.fill(9, 0, S * S))).toBeCloseTo(1, 6);
  });
});

describe("a patch anywhere", () => {
  const form = patchAnywhere(S, 3);
  const p = form.start(random(5, "start"));
  const placeOf = (parameters: Float32Array, of: Float32Array) => {
    const out = new Float32Array(of.length);
    form.stamp(parameters, of, out);
    return out.findIndex((value, i) => value !== of[i]);
  };

  it("comes to other places at other steps and in other images, to the same one when asked again", () => {
    const steps: number[] = [];
    for (let step = 0; step < 12; step++) {
      expect(placeOf(p, image)).toBe(placeOf(p, image));
      steps.push(placeOf(p, image));
      form.project?.(p);
    }
    expect(new Set(steps).size).toBeGreaterThan(3);
    const images = Array.from({ length: 12 }, (_, i) => image.map((value) => Math.abs(value - i / 20)));
    expect(new Set(images.map((one) => placeOf(p, one))).size).toBeGreaterThan(3);
  });
});
