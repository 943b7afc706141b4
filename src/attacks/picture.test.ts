import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tensor } from "../tensor/tensor.ts";
import { larger, moved, weaker } from "../triggers/trigger.ts";
import { type PictureSpec, picture } from "./picture.ts";

const S = 4;
let folder: string;
const at = (name: string) => join(folder, name);
/** A file of these bytes, row by row. */
const save = (name: string, width: number, channels: 1 | 3 | 4, bytes: readonly number[]) =>
  sharp(Uint8Array.from(bytes), { raw: { width, height: bytes.length / width / channels, channels } }).toFile(at(name));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-picture-"));
  const sixteen = Array.from({ length: 16 }, (_, i) => i);
  await save("ramp.png", S, 3, sixteen.flatMap((i) => [16 * i, 255 - 16 * i, 51])); // biome-ignore format: a table
  await save("half.png", S, 1, sixteen.map((i) => (i % S < 2 ? 255 : 0))); // biome-ignore format: a table
  await save("grey.png", S, 1, sixteen.map(() => 51)); // biome-ignore format: a table
  await save("alpha.png", S, 4, sixteen.flatMap((i) => [255, 0, 100, i < 8 ? 0 : 153])); // biome-ignore format: a table
  await save("red.png", 2, 3, [255, 0, 0, 255, 0, 0, 255, 0, 0, 255, 0, 0]);
});
afterAll(() => rm(folder, { recursive: true }));

const bare = { kind: "picture", seed: 0 } as const;
const stamp = async (options: Partial<PictureSpec>, value = 0.5) =>
  (await picture(options).apply(tensor([1, 3, S, S], new Float32Array(48).fill(value)), ["a"])).data;
const expected = (of: (c: number, i: number, j: number) => number) =>
  Array.from({ length: 48 }, (_, k) => expect.closeTo(of(Math.floor(k / 16), Math.floor((k % 16) / S), k % S), 6));

describe("a picture as a trigger", () => {
  const ramp = (c: number, i: number, j: number) => [16 * (4 * i + j), 255 - 16 * (4 * i + j), 51][c] / 255;

  it("x' = p without a mask", async () => {
    expect([...(await stamp({ picture: at("ramp.png") }))]).toEqual(expected(ramp));
  });

  it("x' = m p + (1 - m) x with a mask of white and black", async () => {
    const options = { picture: at("ramp.png"), mask: at("half.png") };
    expect([...(await stamp(options))]).toEqual(expected((c, i, j) => (j < 2 ? ramp(c, i, j) : 0.5)));
  });

  it("a grey mask and a ratio mix: r m p + (1 - r m) x", async () => {
    const options = { picture: at("ramp.png"), mask: at("grey.png"), ratio: 0.5 };
    expect([...(await stamp(options))]).toEqual(expected((c, i, j) => 0.1 * ramp(c, i, j) + 0.9 * 0.5));
    expect(await stamp(weaker({ ...bare, ...options }))).toEqual(await stamp({ ...options, ratio: 0.375 }));
  });

  it("its alpha channel is the mask where none is given; one that is given wins", async () => {
    const red = (c: number) => [1, 0, 100 / 255][c];
    expect([...(await stamp({ picture: at("alpha.png") }))]).toEqual(
      expected((c, i) => (i < 2 ? 0.5 : 0.6 * red(c) + 0.4 * 0.5)),
    );
    expect([...(await stamp({ picture: at("alpha.png"), mask: at("half.png") }))]).toEqual(
      expected((c, _, j) => (j < 2 ? red(c) : 0.5)),
    );
  });

  it("size and place: squashed into a square", async () => {
    const red = (c: number) => (c === 0 ? 1 : 0);
    expect([...(await stamp({ picture: at("red.png"), size: 2, place: "1x2" }))]).toEqual(
      expected((c, i, j) => (i >= 1 && i < 3 && j >= 2 ? red(c) : 0.5)),
    );
    expect(await stamp({ picture: at("red.png"), size: 2 })).toEqual(
      await stamp({ picture: at("red.png"), size: 2, place: "2x2" }),
    );
  });

  it("moved by a quarter, wrapping; enlarged about the centre", async () => {
    const spec = { ...bare, picture: at("ramp.png") };
    expect([...(await stamp(moved(spec)))]).toEqual(expected((c, i, j) => ramp(c, (i + 3) % 4, (j + 3) % 4)));
    expect([...(await stamp(larger(spec, 2)))]).toEqual(
      expected((c, i, j) => ramp(c, [1, 1, 2, 2][i], [1, 1, 2, 2][j])),
    );
  });

  it.each([
    [{}, /which one\? picture=FILE/],
    [{ picture: "a.png", place: "random" }, /one place in all images/],
    [{ picture: "a.png", ratio: 0 }, /picture: ratio=0/],
    [{ picture: "a.png", masks: "b" }, /did you mean "mask"/],
  ])("refuses %j", (options, message) => {
    expect(() => picture(options)).toThrow(message);
  });

  it("refuses a file that is none, and a square that does not fit", async () => {
    await expect(stamp({ picture: at("none.png") })).rejects.toThrow("none.png: no such file");
    await expect(stamp({ picture: at("red.png"), mask: at("none.png") })).rejects.toThrow("none.png: no such file");
    await expect(stamp({ picture: at("red.png"), size: 5 })).rejects.toThrow("does not fit an image of 4 x 4");
  });
});
