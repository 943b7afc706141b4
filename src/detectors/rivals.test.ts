/** Every detector beside the calibrated ones, on a pico CLIP: what it says of its triggers holds, and it costs what it stated. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { picoAttack } from "../../test/pico-attack.ts";
import { classify } from "../engine/zero-shot.ts";
import { random } from "../tensor/random.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { invertedTrigger } from "../triggers/inverted.ts";
import { benignFeatures } from "./bti-dbf.ts";
import { decreeSettings, type Lambda, nextLambda } from "./decree.ts";
import type { DetectorInput, Finding, Images } from "./detector.ts";
import { detectors } from "./index.ts";
import { asrOf } from "./invert.ts";
import { neuralCleanseSettings, nextWeight } from "./neural-cleanse.ts";
import { spectrum } from "./spectrum.ts";
import { positionDrift } from "./weight-statistics.ts";

let input: DetectorInput;
beforeAll(async () => {
  const { clip, weights, head, classNames, clean } = await picoAttack(64);
  const suspect = { clip, weights, head };
  const imagesOf = async (from: number, to: number): Promise<Images> => {
    const ids = Array.from({ length: to - from }, (_, i) => from + i);
    const pixels = await clean.read(ids, clip.preprocess);
    return { pixels, answers: classify(await clip.encoder.images(weights, pixels), head) };
  };
  input = { suspect, classNames, fit: await imagesOf(0, 24), held: await imagesOf(24, 64), seed: 1 };
});
afterAll(() => input.suspect.clip.runtime.release());

const answersWith = async (finding: Finding, i: number): Promise<Int32Array> => {
  const { clip, weights, head } = input.suspect;
  const { shape, data } = input.held.pixels;
  const trigger = invertedTrigger(finding.suspects[i].trigger!);
  const ids = Array.from({ length: shape[0] }, (_, k) => `${k}`);
  const stamped = await trigger.apply({ shape, data: data.slice() }, ids);
  return classify(await clip.encoder.images(weights, stamped), head as Tensor);
};

describe.each(detectors.filter(({ quick }) => !quick))("$name", (detector) => {
  let finding: Finding;
  let done = 0;
  beforeAll(async () => {
    finding = await detector.run({ ...input, report: (count) => void (done = count) });
  });

  it("takes the gradients it stated, or fewer where it stops early", () => {
    const { fit, held, classNames } = input;
    const size = { classes: classNames.length, base: false, fit: fit.pixels.shape[0], held: held.pixels.shape[0] };
    const { gradients } = detector.cost(size);
    expect(done).toBeLessThanOrEqual(gradients);
    if (!["collapse", "decree"].includes(detector.name)) expect(done).toBe(gradients);
  });

  it("the most suspicious class comes first, with the detector's statistic", () => {
    expect(Number.isFinite(finding.statistic)).toBe(true);
    expect(Object.values(finding.facts ?? {}).every(Number.isFinite)).toBe(true);
    if (detector.name === "weight-statistics") return expect(finding.suspects).toEqual([]);
    const statistics = finding.suspects.map(({ statistic }) => statistic);
    expect(statistics[0]).toBe(finding.statistic);
    expect(statistics).toEqual([...statistics].sort((a, b) => b - a));
  });

  it("its trigger, as a value, carries as many held-out images as it says", async () => {
    for (const [i, { label, asr, trigger }] of finding.suspects.slice(0, 2).entries()) {
      const after = await answersWith(finding, i);
      const rate = asrOf(label, input.held.answers as Int32Array, after);
      // 8 bits a value, and another draw of the places
      if (!trigger?.anywhere) expect(Math.abs(rate.value - (asr?.value as number))).toBeLessThanOrEqual(0.1);
      expect(rate.n).toBe(asr?.n);
    }
  });
});

it("DECREE asks for neither head nor class names", async () => {
  const { clip, weights } = input.suspect;
  const { pixels } = input.fit;
  const decree = detectors.find(({ name }) => name === "decree")!;
  const found = await decree.run({ ...input, suspect: { clip, weights }, classNames: [], fit: { pixels }, held: { pixels } }); // biome-ignore format: one line
  expect(found.suspects).toEqual([]);
  expect(found.facts?.successes).toBeGreaterThan(0);
  expect(found.statistic).toBeCloseTo(1 - found.facts!.PL1, 12);
  expect(found.facts?.PL1).toBeLessThan(0.4); // it starts at 0.5
});

describe("DECREE's lambda", () => {
  const after = (from: Lambda, ...outcomes: readonly boolean[]) => outcomes.reduce(nextLambda, from);
  const start: Lambda = { lambda: decreeSettings.lambda.start, up: 0, down: 0, run: 0 };
  const times = (count: number, outcome: boolean) => new Array<boolean>(count).fill(outcome);

  it("times 5 at the sixth success in a row, over 5 at the sixth failure; the other breaks the row", () => {
    expect(after(start, ...times(5, true)).lambda).toBe(1e-3);
    expect(after(start, ...times(6, true)).lambda).toBe(5e-3);
    expect(after(start, ...times(6, false)).lambda).toBe(2e-4);
    expect(after(start, ...times(5, true), false, ...times(5, true)).lambda).toBe(1e-3);
    expect(after({ ...start, lambda: 2e5 }, ...times(6, true)).lambda).toBe(2e5);
  });

  it("back to its start when it is below the least and eleven batches in a row succeed", () => {
    const low = { ...start, lambda: 1e-9 };
    expect(after(low, ...times(6, false)).lambda).toBe(1e-9);
    const back = after(low, ...times(5, true));
    expect(back.lambda).toBe(1e-9);
    expect(after({ ...low, run: 10 }, true)).toEqual(start);
  });
});

it("Neural Cleanse's weight doubles after successes and falls by 2^1.5 after failures", () => {
  const { cost } = neuralCleanseSettings;
  const one = { c: 1e-3, up: 0, down: 0 };
  const after = (...outcomes: readonly boolean[]) => outcomes.reduce(nextWeight, one).c;
  const many = (outcome: boolean) => new Array<boolean>(cost.patience).fill(outcome);
  expect(after(...many(true))).toBe(2e-3);
  expect(after(...many(false))).toBeCloseTo(1e-3 / 2 ** 1.5, 12);
  expect(after(...many(true).slice(1), false)).toBe(1e-3);
});

it("BTI-DBF's mask keeps the features that classify", async () => {
  // classes lie along the first two of four features; the other two are noise
  const stream = random(1, "features");
  const answers = Int32Array.from({ length: 40 }, (_, i) => i % 2);
  const embeddings = tensor([40, 4]);
  for (const [i, label] of answers.entries())
    embeddings.data.set([label === 0 ? 1 : 0, label, stream.normal(), stream.normal()], 4 * i);
  const head = tensor([2, 4], [4, 0, 2, -2, 0, 4, -2, 2]);
  const { data } = await benignFeatures(input.suspect.clip.runtime, embeddings, head, answers);
  expect(Math.min(data[0], data[1])).toBeGreaterThan(0.8);
  expect(Math.max(data[2], data[3])).toBeLessThan(0.5);
});

describe("weight statistics", () => {
  it("singular values of a matrix with a known decomposition: 5 and 2, whatever its sides", () => {
    // 5 u1 v1^T + 2 u2 v2^T with u = (0.6, 0.8, 0), (-0.8, 0.6, 0); v = e1, e2
    const matrix = Float32Array.of(3, -1.6, 4, 1.2, 0, 0);
    const { first, second, frobenius } = spectrum(matrix, 3, 2);
    expect([first, second, frobenius].map((v) => Number(v.toFixed(5)))).toEqual([
      5,
      2,
      Number(Math.sqrt(29).toFixed(5)),
    ]);
    expect(spectrum(Float32Array.of(3, 4, 0, -1.6, 1.2, 0), 2, 3).first).toBeCloseTo(5, 5);
    expect(spectrum(new Float32Array(6), 3, 2)).toEqual({ first: 0, second: 0, frobenius: 0 });
  });

  it("the position that moved is named: row 1, column 2 of 3 x 3, behind the class token", () => {
    const data = new Float32Array(10 * 4).fill(0.1);
    data.fill(9, 0, 4); // the class token is none of them
    data.fill(0.5, 4 * (1 + 5), 4 * (2 + 5));
    const weights = new Map([["vision_model.embeddings.position_embedding.weight", { shape: [10, 4], data }]]);
    const { z, at } = positionDrift(weights, { patchSize: 4 });
    expect(at).toEqual([1, 2]);
    expect(z).toBeCloseTo(Math.sqrt(8), 5); // one of nine apart: (1 - 1/9) / sqrt(8/81)
  });

  it("with a base it looks at the difference alone", async () => {
    const { weights } = input.suspect;
    const name = "vision_model.embeddings.position_embedding.weight";
    const moved = weights.get(name) as Tensor;
    const data = moved.data.slice();
    for (let i = 0; i < 16; i++) data[3 * 16 + i] += 1; // 2 x 2 positions behind the class token
    const suspect = { ...input.suspect, weights: new Map([...weights, [name, { ...moved, data }]]) };
    const statistics = detectors.find((one) => one.name === "weight-statistics")!;
    const { facts } = await statistics.run({ ...input, suspect, base: input.suspect });
    expect(facts).toMatchObject({ positionRow: 1, positionColumn: 0, spectrumZ: 0, shareElsewhere: 1 });
    expect(facts?.positionZ).toBeCloseTo(Math.sqrt(3), 4);
  });
});
