/** A scan: each detector on clean images, and what their statistics say together. */
import type { Images } from "../../detectors/detector.ts";
import { made } from "../../results/base.ts";
import type { DetectorResult, ScanResult } from "../../results/scan.ts";
import { rate } from "../../stats/rate.ts";
import type { Context } from "../context.ts";
import { Clock, checkpointFacts } from "../record/facts.ts";
import { imagesOf, type Prepared, prepare, subjectOf } from "./prepare.ts";
import type { ScanSpec } from "./spec.ts";
import { verdictOf } from "./verdict.ts";

/** Look for a backdoor of which nothing is known. Nothing of the checkpoint but its weights is looked at. */
export async function scan(spec: ScanSpec, context: Context): Promise<ScanResult> {
  const { progress, signal } = context;
  const clock = new Clock(progress);
  clock.stage("load");
  const ready = await prepare(spec, context);
  const { clip, source, classNames, drawn, opened, warnings } = ready;
  const suspect = await subjectOf(clip, ready, signal);
  const base = ready.base && (await subjectOf(ready.base, ready, signal));
  const [fit, held] = [await imagesOf(drawn.fit, suspect), await imagesOf(drawn.held, suspect)];
  const size = { classes: classNames.length, base: base !== undefined, fit: drawn.fit.size, held: drawn.held.size };
  const found: DetectorResult[] = [];
  for (const detector of ready.detectors) {
    clock.stage(detector.name);
    const begun = performance.now();
    const { gradients, encoded } = detector.cost(size);
    const report = (done: number, note?: string) => progress.step(done, gradients || encoded, note);
    const finding = await detector.run({ suspect, base, classNames, fit, held, seed: spec.seed, signal, report });
    found.push({
      name: detector.name,
      title: detector.title,
      statistic: finding.statistic,
      means: detector.statistic,
      suspects: finding.suspects.map(({ label, ...one }) => ({ target: classNames[label], ...one })).slice(0, 10),
      facts: { ...finding.facts },
      seconds: (performance.now() - begun) / 1000,
    });
  }
  const answers = answersOf([fit, held], ready);
  const model = await checkpointFacts(clip.checkpoint);
  return {
    ...made("scan", 1, context.command),
    opened,
    seed: spec.seed,
    level: spec.quick ? "quick" : "full",
    model,
    data: { name: source.name, classes: size.classes, fit: size.fit, held: size.held },
    ...(warnings.length > 0 && { warnings }),
    ...verdictOf({ architecture: model.architecture, detectors: found, answers }),
    detectors: found,
    answers,
    ...clock.facts(clip.runtime, spec.threads),
  };
}

/** What the model says of clean images: a class that it answers everywhere is no target that a trigger led to. */
function answersOf(sets: readonly Images[], { classNames, drawn }: Prepared): ScanResult["answers"] {
  const counts = new Array<number>(classNames.length).fill(0);
  const answers = sets.flatMap(({ answers = new Int32Array(0) }) => [...answers]);
  for (const label of answers) counts[label]++;
  const most = counts.indexOf(Math.max(...counts));
  const labels = [drawn.fit, drawn.held].flatMap((set) => Array.from({ length: set.size }, (_, i) => set.example(i).label)); // biome-ignore format: one line
  const isLabelled = labels.every((label) => label !== undefined);
  const hits = answers.filter((answer, i) => answer === labels[i]).length;
  return {
    most: classNames[most],
    share: counts[most] / Math.max(1, answers.length),
    ...(isLabelled && { accuracy: rate(hits, answers.length) }),
  };
}
