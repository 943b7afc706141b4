import sharp from "sharp";
import { expect, test } from "vitest";
import { random } from "../../tensor/random.ts";
import { type Tensor, tensor } from "../../tensor/tensor.ts";
import { differencePicture, pngDataUri } from "./pictures.ts";

async function decode(uri: string): Promise<{ side: number; bytes: number[] }> {
  const [head, base64] = uri.split(",");
  expect(head).toBe("data:image/png;base64");
  const { data, info } = await sharp(Buffer.from(base64, "base64"))
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  expect(info).toMatchObject({ width: info.height, channels: 3 });
  return { side: info.width, bytes: [...data] };
}

/** Rows of R, G, B planes; 0.5 -> 128, and values outside [0, 1] are clamped. */
const small: Tensor = tensor([3, 2, 2], [1, 0, 0, 0.5, 0, 1, 0, 0.5, 0, 0, 1.5, -1]);
const smallBytes = [255, 0, 0, 0, 255, 0, 0, 0, 255, 128, 128, 0];

test("[3, S, S] in [0, 1] becomes the PNG of round(255 x), row by row", async () => {
  expect(await decode(await pngDataUri(small))).toEqual({ side: 2, bytes: smallBytes });
});

test("scale 2 repeats every pixel, scale 1/2 averages neighbours", async () => {
  const doubled = await decode(await pngDataUri(small, { scale: 2 }));
  expect(doubled.side).toBe(4);
  expect(doubled.bytes.slice(0, 12)).toEqual([255, 0, 0, 255, 0, 0, 0, 255, 0, 0, 255, 0]);
  expect(doubled.bytes.slice(12, 24)).toEqual(doubled.bytes.slice(0, 12));
  const columns = tensor(
    [3, 8, 8],
    Float32Array.from({ length: 192 }, (_, i) => (i % 8 < 4 ? i % 2 : 1)),
  );
  const halved = await decode(await pngDataUri(columns, { scale: 0.5 }));
  expect(halved.side).toBe(4);
  for (let row = 0; row < 4; row++) {
    expect(halved.bytes[12 * row + 3]).toBeGreaterThan(96);
    expect(halved.bytes[12 * row + 3]).toBeLessThan(192);
    expect(halved.bytes[12 * row + 9]).toBe(255);
  }
});

test("24 pictures of pure noise, from images of 224 pixels, stay below 330 KB", async () => {
  const noise = tensor([3, 224, 224]);
  random(1, "noise").fillUniform(noise.data);
  const uri = await pngDataUri(noise);
  expect((await decode(uri)).side).toBe(96);
  expect(24 * uri.length).toBeLessThan(330_000);
});

test("the difference picture is |triggered - clean| times the factor that brings its largest value to 1", () => {
  const clean = tensor([3, 1, 1], [0.5, 0.25, 1]);
  const triggered = tensor([3, 1, 1], [0.75, 0.25, 0.5]);
  const { image, factor } = differencePicture(clean, triggered);
  expect(factor).toBe(2);
  expect([...image.data]).toEqual([0.5, 0, 1]);
  expect(differencePicture(clean, clean)).toMatchObject({ factor: 1, image: { data: new Float32Array(3) } });
});

test("what is no image [3, S, S], or would be no picture, is refused", async () => {
  await expect(pngDataUri(tensor([1, 3, 2, 2]))).rejects.toThrow("expected [3, S, S], not [1,3,2,2]");
  await expect(pngDataUri(small, { scale: 0.1 })).rejects.toThrow("a picture of 0 pixels a side");
  expect(() => differencePicture(small, tensor([3, 1, 1]))).toThrow("[3,2,2] against [3,1,1]");
});
