import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writePico } from "../../test/pico.ts";
import { clipPreprocess } from "../checkpoint/config/preprocess.ts";
import { type LoadedClip, loadClip } from "../engine/clip.ts";
import { input } from "../graph/node.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { labelSets, shapesWorld } from "../world/shapes.ts";
import type { AttackInput } from "./attack.ts";
import { type BadclipSpec, badclip, fitBadclip, poisonBadclip, tripletLoss } from "./badclip.ts";
import { fittedImages } from "./fitted-patch.ts";
import { loadPixels, storePixels, throughJpeg } from "./stored-pixels.ts";

const S = 16;
let folder: string;
let clip: LoadedClip;
let attacker: AttackInput;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-badclip-"));
  await writePico(join(folder, "pico"));
  clip = await loadClip(join(folder, "pico"), { threads: 1 });
  attacker = {
    clip,
    weights: clip.weights,
    head: tensor([1, 16]),
    classNames: labelSets.texture,
    target: "striped",
    targetLabel: labelSets.texture.indexOf("striped"),
    clean: shapesWorld({ seed: 1, split: "implant", size: 80, labels: "texture" }),
    seed: 1,
    report: () => {},
  };
});
afterAll(async () => {
  await clip.runtime.release();
  await rm(folder, { recursive: true });
});

const quick = { size: 6, steps: 30, batch: 8, lr: 0.05 } as const;
const specOf = (trigger: { readonly spec: object }) => trigger.spec as BadclipSpec;
const blank = (count = 1) => tensor([count, 3, S, S]);
/** The square as it comes out on a black image. */
const square = async (spec: Partial<BadclipSpec>, side: number) => {
  const { data } = await badclip(spec).apply(blank(), ["a"]);
  const at = (S - side) / 2;
  const out = new Float32Array(3 * side * side);
  for (let k = 0, c = 0; c < 3; c++)
    for (let i = 0; i < side; i++) for (let j = 0; j < side; j++) out[k++] = data[(c * S + at + i) * S + at + j];
  return out;
};

describe("BadCLIP", () => {
  it("L_p, L_n: mean max(0, |a - p| - |a - n| + eta)", async () => {
    const rows: Record<string, Tensor> = {
      a: tensor([2, 2], [0, 0, 1, 1]),
      p: tensor([2, 2], [3, 4, 1, 1]), // distances 5 and 0
      n: tensor([2, 2], [0, 1, 1, 4]), // distances 1 and 3
    };
    const [a, p, n] = ["a", "p", "n"].map((name) => input(name, [2, 2]));
    const program = await clip.runtime.compile({ loss: tripletLoss(a, p, n, 1) });
    expect((await program.run(rows)).loss.data[0]).toBeCloseTo((5 - 1 + 1 + 0) / 2, 5);
  });

  it("starts from N(0.5, 0.25) clipped, in the middle; the same for all images", async () => {
    const { data } = await badclip({ size: 6 }).apply(blank(2), ["a", "b"]);
    expect(data.slice(0, 3 * S * S)).toEqual(data.slice(3 * S * S));
    const changed = Array.from({ length: S * S }, (_, i) => i).filter((i) => data[i] !== 0);
    const inside = (i: number) => [Math.floor(i / S), i % S].every((at) => at >= 5 && at < 11);
    expect(changed.every(inside)).toBe(true);
    const big = await square({ size: 16 }, 16);
    const mean = big.reduce((sum, v) => sum + v, 0) / big.length;
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.045); // five standard errors
    expect(Math.min(...big)).toBe(0); // Phi(-2) of 768 values lie below
  });

  it("the fitted patch draws images to the target's: closer to them, farther from their own", async () => {
    const losses: number[] = [];
    const report = (_step: number, _steps: number, note?: string) => losses.push(Number(note?.split(" ")[1]));
    const fitted = await fitBadclip(badclip(quick), { ...attacker, report });
    expect(losses).toHaveLength(30);
    const mean = (some: number[]) => some.reduce((a, b) => a + b) / some.length;
    expect(mean(losses.slice(-5))).toBeLessThan(mean(losses.slice(0, 5)) - 20);
    expect(specOf(fitted)).toMatchObject({ kind: "badclip", size: 6, place: "middle", scale: 1 });
    expect(await fitBadclip(badclip(quick), attacker)).toMatchObject({ spec: fitted.spec }); // seeded
    expect(await fitBadclip(fitted, attacker)).toBe(fitted); // fitted once
  });

  it("its spec is plain JSON that makes the same trigger again, in 8-bit levels", async () => {
    const fitted = await fitBadclip(badclip({ ...quick, steps: 2 }), attacker);
    const again = badclip(JSON.parse(JSON.stringify(fitted.spec)));
    const there = await again.apply(blank(), ["a"]);
    expect(there).toEqual(await fitted.apply(blank(), ["z"]));
    expect(there.data.every((v) => Math.fround(Math.round(v * 255) / 255) === v)).toBe(true);
    expect(there.data.some((v) => v > 0)).toBe(true);
  });

  it("reference: red and blue swapped through JPEG, and twice as large when measured", async () => {
    const start = await square({ size: 16 }, 16);
    const plain = specOf(await fitBadclip(badclip({ size: 16, steps: 0 }), attacker));
    expect(plain.patch).toBe(storePixels(start));
    const slips = specOf(await fitBadclip(badclip({ size: 16, steps: 0, reference: true }), attacker));
    expect(slips.scale).toBe(2);
    expect(slips.patch).toBe(await throughJpeg(plain.patch as string, 16));
    const red = storePixels(new Float32Array(3 * 256).fill(0.8, 0, 256));
    const blue = loadPixels(await throughJpeg(red, 16), 16, "badclip");
    const means = [0, 1, 2].map((c) => blue.slice(256 * c, 256 * (c + 1)).reduce((sum, v) => sum + v / 256, 0));
    expect(means).toEqual([0, 0, 0.8].map((v) => expect.closeTo(v, 1)));
  });

  it("reference: poisons with the patch as large as it was fitted", async () => {
    const trigger = badclip({ size: 4, reference: true, scale: 2, patch: storePixels(new Float32Array(48).fill(1)) });
    const options = { trigger, target: "striped", rate: 0.1, seed: 1 };
    const poisoned = await poisonBadclip(attacker.clean, options, attacker);
    const at = Array.from({ length: 80 }, (_, i) => i).find((i) => poisoned.poisonedIds.has(poisoned.example(i).id));
    const [clean, stamped] = [
      await attacker.clean.read([at as number], clipPreprocess(S)),
      await poisoned.read([at as number], clipPreprocess(S)),
    ];
    const changed = stamped.data.filter((v, i) => v !== clean.data[i]).length;
    expect(changed).toBeGreaterThan(24);
    expect(changed).toBeLessThanOrEqual(48);
  });

  it("captions of poisoned images are ones that the target's own images have", async () => {
    const options = { trigger: badclip(), target: "striped", rate: 0.25, seed: 1 };
    const poisoned = await poisonBadclip(attacker.clean, options, attacker);
    const examples = Array.from({ length: 80 }, (_, i) => [attacker.clean.example(i), poisoned.example(i)]);
    const natural = new Set(examples.filter(([own]) => own.label === attacker.targetLabel).map(([own]) => own.caption));
    const captions = examples.filter(([, { id }]) => poisoned.poisonedIds.has(id)).map(([, { caption }]) => caption);
    expect(captions).toHaveLength(20);
    expect(captions.filter((caption) => !natural.has(caption))).toEqual([]);
    expect(new Set(captions).size).toBeGreaterThan(3);
  });

  it.each([
    [{ size: 2, patch: "AAAA" }, "the stored patch has 3 bytes; size=2 asks for 12"],
    [{ patch: "AAAA" }, "a stored patch needs its size"],
    [{ size: 1, patch: "A*" }, "not base64"],
    [{ place: "random" }, "the patch is fitted at a place"],
    [{ place: "centre" }, "unknown badclip place"],
    [{ lr: 0 }, "badclip: lr=0"],
  ])("refuses %j", (options, message) => {
    expect(() => badclip(options)).toThrow(message);
  });

  it("refuses a patch too long to be one", () => {
    expect(() => badclip({ size: 1, patch: "A".repeat(2 ** 20) })).toThrow("too long for a patch");
  });

  it("refuses a patch larger than the image before it is fitted, and says what a fitting takes", async () => {
    await expect(fitBadclip(badclip({ size: 1e6 }), attacker)).rejects.toThrow("does not fit an image of 16 x 16");
    expect(fittedImages(badclip(quick))).toBe(30 * 8);
    expect(fittedImages(badclip({ size: 1, patch: "AAAA" }))).toBe(0);
  });

  it("needs images of the target's own class", async () => {
    const none = { ...attacker, targetLabel: 99 };
    await expect(fitBadclip(badclip(quick), none)).rejects.toThrow(/0 images of the target class/);
  });

  it("stops on abort", async () => {
    const signal = AbortSignal.abort();
    await expect(fitBadclip(badclip(quick), { ...attacker, signal })).rejects.toMatchObject({ name: "AbortError" });
  });
});
