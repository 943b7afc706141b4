/** What a grid of alphas costs at real size, and which alpha it finds: beside the search of full-run.ts. */
import { subtract } from "../src/arithmetic/task-vector.ts";
import { openSafetensors } from "../src/checkpoint/formats/safetensors.ts";
import { type Bench, setUp } from "../src/jobs/clean/bench.ts";
import { prepare } from "../src/jobs/clean/prepare.ts";
import { cleanSpec } from "../src/jobs/clean/spec.ts";
import { withContext } from "../src/jobs/context.ts";
import { labelsOf, measure } from "../src/metrics/accuracy.ts";
import type { CleanResult } from "../src/results/clean.ts";
import type { Tensor } from "../src/tensor/tensor.ts";
import { at, kept, seed, threads } from "./full-run-inputs.ts";

/** Alphas of the grid. */
export const gridSize = 21;

export interface Grid {
  readonly step: number;
  readonly seconds: number;
  readonly points: readonly { alpha: number; ca: number; asr: number; passes: boolean }[];
  /** Classes among the backdoored model's answers to the test photographs. */
  readonly answers: number;
}

/** Three points of the grid, the last of them the first at or above the alpha found, on all validation images. */
export async function grid(): Promise<Grid> {
  const { alpha } = kept<CleanResult>("clean").result;
  const step = (alpha <= 1 ? 1 : 2 ** Math.ceil(Math.log2(alpha))) / (gridSize - 1);
  const last = Math.max(2, Math.ceil(alpha / step - 1e-9));
  const spec = cleanSpec.parse({
    model: at("backdoored"),
    data: at("forget.csv"),
    validationData: at("validation.csv"),
    testData: at("test.csv"),
    classesFile: at("classes.txt"),
    templatesFile: at("templates.txt"),
    methods: ["plain"],
    sizes: { forget: 1000, clean: 0, validation: 600, test: 700 },
    seed,
    threads,
  });
  return withContext({ threads }, {}, async (context) =>
    along(await setUp(await prepare(spec, context), seed, context), step, last),
  );
}

async function along(bench: Bench, step: number, last: number): Promise<Grid> {
  const file = await openSafetensors(at("cleaned.vector.safetensors"));
  const tau = new Map<string, Tensor>();
  for (const name of file.tensors.keys()) tau.set(name, await file.read(name));
  await file.close();
  const clean = bench.cleanMetric(bench.validation);
  const triggered = bench.attackMetric(bench.attack.validation);
  // reads the photographs and compiles, as measuring before does in the job
  await measure(triggered, bench.clip.weights);
  await clean.hits(new Map(bench.clip.weights));
  const since = performance.now();
  const points: Grid["points"][number][] = [];
  for (const k of [last - 2, last - 1, last]) {
    const weights = subtract(bench.clip.weights, tau, k * step);
    const [ca, asr] = [await measure(clean, weights), await measure(triggered, weights)];
    points.push({ alpha: k * step, ca: ca.value, asr: asr.value, passes: asr.interval[1] <= 0.02 });
  }
  const seconds = (performance.now() - since) / 1000;
  return { step, seconds, points, answers: new Set(labelsOf(bench.test)).size };
}
