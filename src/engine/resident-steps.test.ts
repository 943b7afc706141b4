/** Trainings whose weights and moments stay in a place of the device, against those whose lie on the host; on the CPU, through ONNX's Loop. */
import { afterAll, expect, test, vi } from "vitest";
import { cases, difference, take } from "../../test/steps.ts";
import { createRuntime } from "../runtime/compile.ts";
import { onnxRuntime } from "../runtime/onnxruntime.ts";
import { residentLoop } from "../runtime/resident-loop.ts";
import { TbarError } from "../tensor/error.ts";
import type { Weights } from "../tensor/tensor.ts";
import type { Learned } from "./training.ts";

const executor = await onnxRuntime({ threads: 1 });
const host = createRuntime(executor);
const loop = createRuntime({ ...executor, resident: async () => residentLoop(executor.compile) });
afterAll(() => Promise.all([host.release(), loop.release()]));

test.each(Object.entries(cases))("%s: six steps as on the host", async (_, one) => {
  const [wanted, found] = [await take(host, one), await take(loop, one)];
  expect(found.reports.map(({ step, lr }) => [step, lr])).toEqual(wanted.reports.map(({ step, lr }) => [step, lr]));
  const { reports, weights } = difference(found, wanted);
  expect(reports).toBeLessThan(3e-5); // normalisation over a batch of four magnifies rounding
  expect(weights).toBeLessThan(1e-5);
});

const [image] = Object.values(cases);

test("weights and moments can be had after each step, and are of one moment; a training goes on from them", async () => {
  const steps: number[] = [];
  const state = image.optimizer.init(new Map());
  const kept: Learned[] = [];
  await take(loop, image, {
    ahead: false,
    async onStep({ step }, now) {
      steps.push(step);
      if (step === 2) kept.push(structuredClone(await now()));
    },
  });
  expect(steps).toEqual([1, 2, 3, 4, 5, 6]);
  const [{ weights, state: moments }] = kept;
  expect(moments.step).toBe(2);
  const rest = { ...image, batches: image.batches.slice(2) };
  expect(state.step).toBe(0);
  const [wanted, found] = [await take(host, image), await take(loop, rest, { start: weights, state: moments })];
  expect(found.reports.map(({ step }) => step)).toEqual([3, 4, 5, 6]);
  expect(difference({ ...found, reports: wanted.reports }, wanted).weights).toBeLessThan(1e-5);
  expect(moments.step).toBe(6); // changed in place
});

test("steps after the first are asked for several at once where they may be, else one by one; an abort ends it between reports", async () => {
  const asked = async (ahead: boolean) => {
    const log: string[] = [];
    async function* batches() {
      for (const [i, batch] of image.batches.entries()) {
        log.push(`batch ${i + 1}`);
        yield batch;
      }
    }
    await take(loop, image, { ahead, batches: batches(), onStep: ({ step }) => void log.push(`step ${step}`) });
    return log;
  };
  const each = [1, 2, 3, 4, 5, 6];
  expect(await asked(false)).toEqual(each.flatMap((n) => [`batch ${n}`, `step ${n}`]));
  const [first, ...rest] = each;
  expect(await asked(true)).toEqual(
    [[first], rest].flatMap((some) => [...some.map((n) => `batch ${n}`), ...some.map((n) => `step ${n}`)]),
  );

  const stop = new AbortController();
  const seen: number[] = [];
  const run = take(loop, image, {
    signal: stop.signal,
    onStep({ step }) {
      seen.push(step);
      if (step === 2) stop.abort(new Error("enough"));
    },
  });
  await expect(run).rejects.toThrow("enough");
  expect(seen).toEqual([1, 2]);
});

test("a constraint of any weight sees them all, step by step", async () => {
  const seen: number[] = [];
  const constrain = (weights: Weights) => {
    seen.push(weights.size);
    for (const { data } of weights.values()) for (const [i, v] of data.entries()) data[i] = Math.min(v, 0.4);
  };
  const [wanted, found] = [await take(host, image, { constrain }), await take(loop, image, { constrain })];
  expect(new Set(seen)).toEqual(new Set([wanted.weights.size]));
  expect(difference(found, wanted).weights).toBeLessThan(1e-5);
});

test("what cannot stay there is done on the host, and said once", async () => {
  const said = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  try {
    const follows = { ...image, objective: { ...image.objective, readsWeights: true } };
    const wanted = await take(host, image);
    for (let n = 0; n < 2; n++) expect((await take(loop, follows)).weights).toEqual(wanted.weights);
    const full = createRuntime({
      ...executor,
      resident: async () => ({
        ...residentLoop(executor.compile),
        compile: () => Promise.reject(new TbarError("unavailable", "it asks for more memory than there is")),
      }),
    });
    expect((await take(full, image)).weights).toEqual(wanted.weights);
    expect(said.mock.calls.map(([text]) => text)).toEqual([
      expect.stringMatching(/cpu: .* at every step.*follows the weights\n$/),
      expect.stringMatching(/cpu: .* at every step.*it asks for more memory than there is\n$/),
    ]);
  } finally {
    said.mockRestore();
  }
});

test("a training that diverges says so", async () => {
  const run = take(loop, image, { schedule: () => 1e15 });
  await expect(run).rejects.toMatchObject({ code: "bad-input", message: expect.stringMatching(/diverged at step \d/) });
});
