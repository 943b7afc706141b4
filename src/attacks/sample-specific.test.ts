import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { picoAttack } from "../../test/pico-attack.ts";
import { clipPreprocess } from "../checkpoint/config/preprocess.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { larger, moved, type Trigger, weaker } from "../triggers/trigger.ts";
import type { AttackInput } from "./attack.ts";
import { crop, fitSampleSpecific, sampleSpecific } from "./sample-specific.ts";

let input: AttackInput;
let trigger: Trigger;
let pixels: Tensor;
const losses: number[] = [];
const count = 16;
const size = 3 * 16 * 16;
const ids = Array.from({ length: count }, (_, i) => `image ${i}`);
const epsilon = 0.1;

beforeAll(async () => {
  input = await picoAttack(64);
  const report = (_step: number, _steps: number, note = "") => losses.push(Number(note.split(" ")[1]));
  trigger = await fitSampleSpecific(sampleSpecific({ steps: 80, epsilon, seed: 2 }), { ...input, report });
  pixels = await input.clean.read([...ids.keys()], clipPreprocess(16));
});
afterAll(() => input.clip.runtime.release());

const residuals = async (of: Trigger, images = pixels) =>
  (await of.apply(images, ids.slice(0, images.shape[0]))).data.map((v, i) => v - images.data[i]);

describe("the trained encoder", () => {
  it("is told from clean images far better than by guessing: 2 log 2", () => {
    expect(losses).toHaveLength(80);
    expect(losses[79]).toBeLessThan(0.5 * 2 * Math.log(2));
  });

  it("|x' - x| <= epsilon, x' in [0, 1]", async () => {
    const { data } = await trigger.apply(pixels, ids);
    expect(data.every((v) => v >= 0 && v <= 1)).toBe(true);
    const largest = Math.max(...(await residuals(trigger)).map(Math.abs));
    expect(largest).toBeGreaterThan(0.5 * epsilon);
    expect(largest).toBeLessThan(epsilon + 1e-6);
  });

  it("each image gets another residual: |mean r|^2 is a small share of mean |r|^2", async () => {
    const share = async (of: Trigger) => {
      const r = await residuals(of);
      let [common, whole] = [0, 0];
      for (let i = 0; i < size; i++) {
        const own = ids.map((_, b) => r[b * size + i]);
        common += (own.reduce((a, b) => a + b) / count) ** 2;
        whole += own.reduce((sum, v) => sum + v * v, 0) / count;
      }
      return common / whole;
    };
    const alike = await fitSampleSpecific(sampleSpecific({ steps: 80, epsilon, seed: 2, variety: 0 }), input);
    expect(await share(trigger)).toBeLessThan(0.5);
    expect(await share(alike)).toBeGreaterThan(await share(trigger));
  });

  it("is in the spec, which makes the same trigger again; an image depends on its own pixels alone", async () => {
    const spec = JSON.parse(JSON.stringify(trigger.spec));
    expect(JSON.stringify(spec).length).toBeLessThan(10_000);
    const third = { shape: [1, 3, 16, 16], data: pixels.data.slice(2 * size, 3 * size) };
    const alone = (await sampleSpecific(spec).apply(third, ["another name"])).data;
    expect(alone).toEqual((await trigger.apply(pixels, ids)).data.slice(2 * size, 3 * size));
  });

  it("weaker changes less; moved and larger elsewhere", async () => {
    const r = await residuals(trigger);
    const length = (v: Float32Array) => Math.hypot(...v);
    expect(length(await residuals(sampleSpecific({ ...weaker(trigger.spec) })))).toBeLessThan(0.8 * length(r));
    for (const spec of [moved(trigger.spec), larger(trigger.spec)]) {
      expect(await residuals(sampleSpecific({ ...spec }))).not.toEqual(r);
    }
  });

  it("takes images of any size", async () => {
    expect((await trigger.apply(tensor([1, 3, 20, 20]), ["a"])).shape).toEqual([1, 3, 20, 20]);
  });

  it("a trigger that has one is not trained again", async () => {
    expect(await fitSampleSpecific(trigger, input)).toBe(trigger);
  });
});

it("without an encoder it cannot be applied", async () => {
  await expect(sampleSpecific().apply(pixels, ids)).rejects.toThrow("no encoder yet; tbar attack trains one");
});

it.each([
  [{ encoder: "AAAA" }, "not an encoder's length"],
  [{ encoder: "?".repeat(8) }, "sample-specific: encoder"],
  [{ epsilon: 0 }, "sample-specific: epsilon=0"],
])("refuses %j", (options, message) => {
  expect(() => sampleSpecific(options)).toThrow(message);
});

it("refuses an encoder that is not finite", () => {
  const { encoder = "" } = trigger.spec as { encoder?: string };
  const bytes = Buffer.from(encoder, "base64");
  bytes.writeUInt16LE(0x7c00, 100); // infinity
  expect(() => sampleSpecific({ encoder: bytes.toString("base64") })).toThrow("not finite");
});

it("crop takes the square at (row, column) of every plane", () => {
  const image = tensor(
    [1, 2, 3, 3],
    Array.from({ length: 18 }, (_, i) => i),
  );
  expect([...crop(image, 2, 1, 0).data]).toEqual([3, 4, 6, 7, 12, 13, 15, 16]);
});
