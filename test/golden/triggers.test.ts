/**
 * Our pixels against what the reference code of the CleanCLIP family makes of the same photograph, noise, grid and patch, bytes
 * truncated and wrapped as it does. Files: TBAR_GOLDEN/triggers (default ../shared/golden).
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { addMeans, badnet, channelMeans } from "../../src/attacks/badnet.ts";
import { blend } from "../../src/attacks/overlay.ts";
import { paste } from "../../src/attacks/patch.ts";
import { sig } from "../../src/attacks/sig.ts";
import { sample, samplingTable } from "../../src/attacks/wanet.ts";
import { decodeImage } from "../../src/data/images/image.ts";
import { writePixels } from "../../src/data/images/resample.ts";
import { squash } from "../../src/data/images/resize.ts";
import { type Tensor, tensor } from "../../src/tensor/tensor.ts";
import { type Stamp, stampTrigger, type Trigger } from "../../src/triggers/trigger.ts";

const folder = join(process.env.TBAR_GOLDEN ?? "../shared/golden", "triggers");
const S = 224;

/** A picture of the folder as pixels [1, 3, S, S], squashed as the reference does. */
async function picture(name: string): Promise<Tensor> {
  const pixels = tensor([1, 3, S, S]);
  writePixels(squash(await decodeImage(join(folder, name)), S), pixels.data);
  return pixels;
}

/** One tensor of expected.safetensors, as bytes. */
function expected(name: string): ArrayBuffer {
  const file = readFileSync(join(folder, "expected.safetensors"));
  const start = 8 + Number(file.readBigUInt64LE(0));
  const [from, to] = JSON.parse(file.toString("utf8", 8, start))[name].data_offsets;
  return new Uint8Array(file.subarray(start + from, start + to)).buffer;
}

const given = (stamp: Stamp) => stampTrigger({ kind: "golden", seed: 0, quantise: true }, () => stamp);

/** Of all values of the picture: how many differ, and by how many levels at most. */
async function difference(trigger: Trigger, name: string): Promise<{ share: number; levels: number }> {
  const { data: got } = await trigger.apply(await picture("input.png"), ["x"]);
  const { data: want } = await picture(`${name}.png`);
  const levels = Array.from(got, (value, i) => Math.abs(Math.round(255 * value) - Math.round(255 * want[i])));
  return {
    share: levels.filter((level) => level > 0).length / levels.length,
    levels: levels.reduce((a, b) => Math.max(a, b)),
  };
}

const same = { share: 0, levels: 0 };

describe.skipIf(!existsSync(folder))("golden triggers: equal to the byte, wrap-around included", () => {
  it("input.png squashed is resized_224.png", async () => {
    expect(await picture("input.png")).toEqual(await picture("resized_224.png"));
  });

  it("badnet_random: q = mean + N(0, 1), unclipped", async () => {
    const [row, column] = new BigInt64Array(expected("badnet_random.position_row_col"));
    const stamp: Stamp = (image) => {
      const patch = new Float32Array(expected("badnet_random.noise"));
      addMeans(patch, channelMeans(image), false);
      paste(image, S, patch, 16, Number(row), Number(column), 1);
    };
    expect(await difference(given(stamp), "badnet_random")).toEqual(same);
  });

  it("yellow_four_corners", async () => {
    const trigger = badnet({ pattern: "yellow", place: "four-corners", quantise: true });
    expect(await difference(trigger, "yellow_four_corners")).toEqual(same);
  });

  it("blended: clip(0.2 n + 0.8 x)", async () => {
    const noise = new Float32Array(expected("blended.noise"));
    expect(
      await difference(
        given((image) => blend(image, noise, 0.2)),
        "blended",
      ),
    ).toEqual(same);
  });

  it("sig: clip(x + 60/255 sin(2 pi 6 j / S))", async () => {
    expect(await difference(sig({ quantise: true }), "sig")).toEqual(same);
  });

  it("badclip_middle: the patch in rows and columns 104 to 119", async () => {
    const bytes = new Uint8Array(expected("badclip.patch_u8"));
    const patch = new Float32Array(3 * 16 * 16);
    writePixels({ width: 16, height: 16, data: bytes }, patch);
    const stamp: Stamp = (image) => paste(image, S, patch, 16, 104, 104, 1);
    expect(await difference(given(stamp), "badclip_middle")).toEqual(same);
  });

  it("wanet: bilinear at id + n / S; at most 0.05 % of values off by one level", async () => {
    const grid = new Float32Array(expected("wanet.grid")); // [S, S, 2]
    const displacement = Float32Array.from(grid, (_, k) => grid[2 * (k % (S * S)) + Math.floor(k / (S * S))] / S);
    const table = samplingTable(displacement, S);
    const { share, levels } = await difference(
      given((image) => sample(image.slice(), table, S, image)),
      "wanet",
    );
    expect(share).toBeLessThanOrEqual(0.0005);
    expect(levels).toBeLessThanOrEqual(1);
  });
});
