import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { makeTrigger } from "../../attacks/index.ts";
import { clipPreprocess } from "../../checkpoint/config/preprocess.ts";
import { galleryPng } from "../../data/images/gallery.ts";
import { tensor } from "../../tensor/tensor.ts";
import type { Trigger } from "../../triggers/trigger.ts";
import { shapesWorld } from "../../world/shapes.ts";
import { drawTrigger } from "./draw.ts";

const world = shapesWorld({ seed: 1, split: "show", size: 3 });
const plain = (value: number) => tensor([3, 2, 2], new Float32Array(12).fill(value));
/** Adds a constant to the red channel's first `count` pixels. */
const nudge = (by: number, count: number): Trigger => ({
  spec: { kind: "nudge", seed: 0 },
  async apply({ shape, data }) {
    const S = shape[3];
    return { shape, data: data.map((v, i) => (i % (3 * S * S) < count ? v + by : v)) };
  },
});

describe("galleryPng", () => {
  it("each image at its place, each pixel scale x scale, rows under their names", async () => {
    const png = await galleryPng(
      [
        { name: "a < b & c", images: [plain(0), plain(1)] },
        { name: "", images: [plain(0.2)] },
      ],
      3,
    );
    const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
    expect([info.width, info.height, info.channels]).toEqual([12 + 2 * 18, 12 + 2 * (22 + 6 + 12), 3]);
    const at = (x: number, y: number) => data[3 * (y * info.width + x)];
    expect([at(12, 34), at(17, 39), at(30, 34), at(35, 39)]).toEqual([0, 0, 255, 255]);
    expect([at(11, 34), at(18, 39), at(12, 40)]).toEqual([242, 242, 242]);
    expect([at(12, 74), at(17, 79), at(30, 74)]).toEqual([51, 51, 242]);
  });
});

describe("drawTrigger", () => {
  it("says how many pixels change, how far, and by what the difference was multiplied", async () => {
    const { view } = await drawTrigger(world, nudge(0.02, 64), { count: 2, preprocess: clipPreprocess(16) });
    expect(view).toMatchObject({ images: 2, size: 16, changed: 0.25, factor: 20 }); // 0.02 x 20 <= 0.5 < 0.02 x 50
    expect(view.largest).toBeCloseTo(0.02, 6);
    expect(view.mean).toBeCloseTo(0.02 * (64 / 768), 6);
  });

  it("three rows: clean, triggered, 0.5 + factor (x' - x)", async () => {
    const { png } = await drawTrigger(world, nudge(-0.02, 1), { count: 1, preprocess: clipPreprocess(96) });
    const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
    const clean = await world.read([0], clipPreprocess(96));
    const at = (row: number, x: number) => data[3 * ((34 + row * (22 + 192 + 12)) * info.width + 12 + x)];
    expect(at(0, 0)).toBe(Math.round(255 * clean.data[0]));
    expect(at(1, 0)).toBe(Math.round(255 * (clean.data[0] - 0.02)));
    expect([at(2, 0), at(2, 1), at(2, 2)]).toEqual([26, 26, 128]); // 255 (0.5 - 20 x 0.02), and grey
  });

  it("a trigger that changes nothing is grey at factor 1", async () => {
    const { view } = await drawTrigger(world, nudge(0, 9), { count: 9, preprocess: clipPreprocess(16) });
    expect(view).toMatchObject({ images: 3, changed: 0, largest: 0, factor: 1 });
  });

  it("a patch changes its own square alone", async () => {
    const trigger = makeTrigger({ kind: "badnet", size: 4 } as never);
    const { view } = await drawTrigger(world, trigger, { count: 3, preprocess: clipPreprocess(16) });
    expect(view.changed).toBeGreaterThan(14 / 256);
    expect(view.changed).toBeLessThanOrEqual(16 / 256);
  });
});
