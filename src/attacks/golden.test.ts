/** Our pixels against what the reference code of the CleanCLIP family makes of the same image and the same noise. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { stampTrigger } from "../data/trigger.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { addMeans, badnet, channelMeans } from "./badnet.ts";
import { blend } from "./overlay.ts";
import { paste } from "./patch.ts";

const golden = process.env["TBAR_GOLDEN"] ?? fileURLToPath(new URL("../../../shared/golden", import.meta.url));
const folder = join(golden, "triggers");
const S = 224;

async function readPng(name: string): Promise<Tensor> {
  const bytes = await sharp(join(folder, name)).removeAlpha().raw().toBuffer();
  return tensor(
    [1, 3, S, S],
    Float32Array.from({ length: 3 * S * S }, (_, i) => bytes[(i % (S * S)) * 3 + Math.floor(i / (S * S))] / 255),
  );
}

/** One tensor of expected.safetensors, as bytes. */
function expected(name: string): ArrayBuffer {
  const file = readFileSync(join(folder, "expected.safetensors"));
  const start = 8 + Number(file.readBigUInt64LE(0));
  const [from, to] = JSON.parse(file.toString("utf8", 8, start))[name].data_offsets;
  return new Uint8Array(file.subarray(start + from, start + to)).buffer;
}

const quantised = { kind: "golden", seed: 0, quantise: true };

describe.skipIf(!existsSync(folder))("golden triggers: equal to the byte, wrap-around included", () => {
  it("badnet_random: q = mean + N(0, 1), unclipped", async () => {
    const [row, column] = new BigInt64Array(expected("badnet_random.position_row_col"));
    const trigger = stampTrigger(quantised, () => (image) => {
      const patch = new Float32Array(expected("badnet_random.noise"));
      addMeans(patch, channelMeans(image), false);
      paste(image, S, patch, 16, Number(row), Number(column), 1);
    });
    expect(await trigger.apply(await readPng("resized_224.png"), ["x"])).toEqual(await readPng("badnet_random.png"));
  });

  it("blended: clip(0.2 n + 0.8 x)", async () => {
    const noise = new Float32Array(expected("blended.noise"));
    const trigger = stampTrigger(quantised, () => (image) => blend(image, noise, 0.2));
    expect(await trigger.apply(await readPng("resized_224.png"), ["x"])).toEqual(await readPng("blended.png"));
  });

  it("yellow_four_corners", async () => {
    const trigger = badnet({ pattern: "yellow", place: "four-corners", quantise: true });
    expect(await trigger.apply(await readPng("resized_224.png"), ["x"])).toEqual(
      await readPng("yellow_four_corners.png"),
    );
  });
});
