/** What holds for every trigger that is a formula, at the size of the embedded model and at 224. */
import { describe, expect, it } from "vitest";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { larger, moved, type Trigger, weaker } from "../triggers/trigger.ts";
import { badnet } from "./badnet.ts";
import { blended } from "./blended.ts";
import { blendedStripes } from "./blended-stripes.ts";
import { sig } from "./sig.ts";
import { stripes } from "./stripes.ts";
import { text } from "./text.ts";
import { triangles } from "./triangles.ts";
import { wanet } from "./wanet.ts";

type Make = (options?: Record<string, unknown>) => Trigger;
const triggers = { badnet, blended, wanet, sig, stripes, "blended-stripes": blendedStripes, triangles, text };

/** Smooth pictures with 8-bit levels: a warp of less than a pixel shows in proportion. */
function photographs(count: number, S: number): Tensor {
  const wave = (k: number) =>
    0.5 + 0.4 * Math.sin(((k % S) + 2 * (Math.floor(k / S) % S)) / 9 + Math.floor(k / (S * S)));
  const level = (k: number) => Math.round(255 * wave(k)) / 255;
  return tensor(
    [count, 3, S, S],
    Float32Array.from({ length: count * 3 * S * S }, (_, k) => level(k)),
  );
}

/** `toEqual` takes a second for images of this size. */
const same = (a: Float32Array, b: Float32Array) => a.length === b.length && a.every((value, i) => value === b[i]);

describe.each(Object.entries(triggers) as [string, Make][])("%s", (kind, make) => {
  it.each([56, 224])("is pure at %i pixels: an image depends on its pixels and id, never on its batch", async (S) => {
    const pixels = photographs(3, S);
    const before = pixels.data.slice();
    const one = 3 * S * S;
    const trigger = make({ seed: 5 });
    const together = (await trigger.apply(pixels, ["a", "b", "c"])).data;
    const alone = await make({ ...trigger.spec }).apply(tensor([1, 3, S, S], pixels.data.slice(one, 2 * one)), ["b"]);
    expect(same(together.slice(one, 2 * one), alone.data)).toBe(true);
    expect(same(pixels.data, before)).toBe(true);
    expect(same(together, before)).toBe(false);
    expect(together.every((value) => value >= 0 && value <= 1)).toBe(true);
  });

  it("writes to the memory it is offered, be it the image's own", async () => {
    const pixels = photographs(2, 56);
    const want = (await make().apply(pixels, ["a", "b"])).data;
    const got = await make().apply(pixels, ["a", "b"], pixels.data);
    expect(got.data).toBe(pixels.data);
    expect(same(got.data, want)).toBe(true);
    await expect(make().apply(pixels, ["a", "b"], new Float32Array(5))).rejects.toThrow("memory for 5 values");
  });

  it("moved, larger and weaker are other triggers; weaker changes less", async () => {
    const pixels = photographs(1, 56);
    const { spec } = make();
    const change = async (of: typeof spec) => {
      const { data } = await make({ ...of }).apply(pixels, ["a"]);
      return { data, sum: data.reduce((sum, value, i) => sum + Math.abs(value - pixels.data[i]), 0) };
    };
    const learned = await change(spec);
    for (const variation of [moved(spec), larger(spec), weaker(spec)]) {
      expect(same((await change(variation)).data, learned.data)).toBe(false);
    }
    expect((await change(weaker(spec))).sum).toBeLessThan(0.8 * learned.sum);
  });

  it("quantised values are bytes over 255", async () => {
    const { data } = await make({ quantise: true }).apply(photographs(1, 56), ["a"]);
    expect(data.every((value) => Math.fround(Math.round(255 * value) / 255) === value)).toBe(true);
  });

  it("says its kind, and refuses options it does not know", () => {
    expect(make().spec.kind).toBe(kind);
    expect(() => make({ sed: 1 })).toThrow(`unknown ${kind} option "sed"; did you mean "seed"?`);
  });
});
