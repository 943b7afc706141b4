/** A scan: what the file gives away, each detector on clean images, and what their statistics say together. */
import { basename } from "node:path";
import type { Detector, Size } from "../../detectors/detector.ts";
import { writeFileAtomic } from "../../files/atomic.ts";
import { version } from "../../files/version.ts";
import { sarifOf } from "../../report/sarif.ts";
import { scanReport } from "../../report/scan/scan-report.ts";
import { made } from "../../results/base.ts";
import { imagesSha256 } from "../../results/measured-on.ts";
import { type DetectorResult, detectorResult, type ScanResult } from "../../results/scan.ts";
import type { ScanCalibration } from "../../results/scan-calibration.ts";
import type { Context } from "../context.ts";
import { openWork, type Work } from "../progress/work.ts";
import { Clock, checkpointFacts, computedOn, machineFacts, readAs } from "../record/facts.ts";
import { answersOf } from "./answers.ts";
import { type Code, codeOf } from "./code.ts";
import { examplesOf } from "./examples.ts";
import { accepting, readBaseline, weightFindings } from "./findings.ts";
import { withTextTower } from "./image-only.ts";
import { scanStages } from "./plan.ts";
import { imagesOf, type Prepared, prepare, refuseOnnx, subjectOf } from "./prepare.ts";
import type { ScanSpec } from "./spec.ts";
import { verdictOf } from "./verdict.ts";

/** Look for a backdoor of which nothing is known. Nothing of the checkpoint but its weights is looked at for the verdict on them. */
export async function scan(spec: ScanSpec, context: Context): Promise<ScanResult> {
  const clock = new Clock(context.progress);
  clock.stage("file");
  await refuseOnnx(spec);
  const accepted = spec.baseline === undefined ? new Map() : await readBaseline(spec.baseline);
  const code = await codeOf(spec);
  const isUnsafe = code.refused !== undefined && code.findings.some(({ level }) => level === "error");
  const found = isUnsafe ? await unopened(spec, code, context)
    : code.imageOnly ? await withoutText(spec, code, clock, context)
    : await scanned(spec, clock, context); // biome-ignore format: a table
  const { sha256, artifact, official, refused, findings } = code;
  const result: ScanResult = {
    ...made("scan", 1, context.command),
    ...found,
    code: { ...(official && { official }), ...(isUnsafe && { refused }), findings: accepting(findings, accepted) },
    findings: accepting([...findings, ...weightFindings(found, sha256)], accepted),
    artifact,
    seconds: clock.seconds(),
    timings: clock.timings(),
  };
  const { force } = spec;
  const written = { force, set: context.set };
  if (spec.sarif !== undefined)
    await writeFileAtomic(spec.sarif, `${JSON.stringify(sarifOf(result), null, 2)}\n`, written);
  if (spec.report !== undefined) await writeFileAtomic(spec.report, scanReport(result), written);
  return result;
}

export type Found = Omit<ScanResult, "schema" | "kind" | "tbar" | "created" | "command" | "seconds" | "timings">;

/** What the weights say. */
async function scanned(spec: ScanSpec, clock: Clock, context: Context): Promise<Found> {
  clock.stage("load");
  const ready = await prepare(spec, context);
  const work = spec.state === undefined ? undefined : await openWork(spec.state, await recipeOf(ready, spec), clock);
  const found = await scanPrepared(ready, spec, clock, context, work);
  await work?.remove();
  return found;
}

/** All that a detector's result follows from; which others run beside it changes nothing. */
async function recipeOf(ready: Prepared, spec: ScanSpec): Promise<string> {
  const { seed } = spec;
  return JSON.stringify({ version, ...(await scannedOf(ready)), seed, ...computedOn(spec) });
}

/** The models and images of a scan, by what they hold. */
export async function scannedOf({ clip, base, source, classNames, drawn }: Prepared) {
  const images = [await imagesSha256(drawn.fit, clip.preprocess), await imagesSha256(drawn.held, clip.preprocess)];
  const models = [await readAs(clip), base && (await readAs(base))];
  return { models, images, classNames, templates: source.templates };
}

/** The same of a model that is open already: the weights are those of `ready.clip`, whatever its file holds. */
export async function scanPrepared(
  ready: Prepared,
  spec: Pick<ScanSpec, "seed" | "quick" | "threads"> & Partial<Pick<ScanSpec, "stopEarly">>,
  clock: Clock,
  context: Context,
  work?: Work,
): Promise<Found> {
  const { progress, signal } = context;
  const { clip, source, classNames, drawn, calibrations, opened, warnings, headless } = ready;
  const suspect = await subjectOf(clip, ready, signal);
  const base = ready.base && (await subjectOf(ready.base, ready, signal));
  const [fit, held] = [await imagesOf(drawn.fit, suspect), await imagesOf(drawn.held, suspect)];
  const size = { classes: classNames.length, base: base !== undefined, fit: drawn.fit.size, held: drawn.held.size };
  progress.plan?.(scanStages(ready));
  const data = { name: source.name, classes: size.classes, fit: size.fit, held: size.held };
  const answers = answersOf([fit, held], ready);
  const model = await checkpointFacts(clip.checkpoint);
  const detectors: DetectorResult[] = [];
  const judge = (leftOut?: readonly string[]) =>
    verdictOf(
      { architecture: model.architecture, detectors, answers, data, ...(leftOut && { leftOut }) },
      calibrations,
    );
  let leftOut: readonly string[] | undefined;
  for (const [i, detector] of ready.detectors.entries()) {
    const run = () => detected(detector, { ...ready, clock }, { suspect, base, fit, held, size }, spec, context);
    detectors.push(work === undefined ? await run() : await work.kept(detector.name, detectorResult, run));
    const rest = ready.detectors.slice(i + 1).map(({ name }) => name);
    if (!spec.stopEarly || headless !== undefined || rest.length === 0) continue;
    if (judge(rest).verdict !== "backdoored") continue;
    leftOut = rest;
    break;
  }
  const judged =
    headless === undefined
      ? judge(leftOut)
      : { verdict: "inconclusive" as const, because: [withoutHead(headless)], suspects: [] };
  clock.stage("examples");
  const examples = await examplesOf({ suspect, held, classNames, labels: drawn.held }, judged, detectors);
  return {
    opened,
    seed: spec.seed,
    level: spec.quick ? "quick" : "full",
    model,
    data,
    ...(warnings.length > 0 && { warnings }),
    ...judged,
    ...(leftOut && { leftOut }),
    detectors: judged.probability === undefined ? detectors : detectors.map((one) => withThreshold(one, calibrations)),
    answers,
    examples,
    machine: machineFacts(clip.runtime, spec.threads),
  };
}

/** With the statistic that no clean model of the calibration reached in this detector alone. */
function withThreshold(one: DetectorResult, calibrations: readonly ScanCalibration[]): DetectorResult {
  const threshold = calibrations.map(({ thresholds }) => thresholds[one.name]).find((value) => value !== undefined);
  return threshold === undefined ? one : { ...one, threshold };
}

const withoutHead = (why: string) =>
  `${why}; detectors that aim at a class did not run, and on the others alone no verdict is given`;

type Subjects = Pick<Parameters<Detector["run"]>[0], "suspect" | "base" | "fit" | "held"> & { readonly size: Size };

async function detected(
  detector: Detector,
  { clock, classNames }: Prepared & { readonly clock: Clock },
  { size, ...subjects }: Subjects,
  { seed }: Pick<ScanSpec, "seed">,
  { progress, signal }: Context,
): Promise<DetectorResult> {
  clock.stage(detector.name);
  const begun = performance.now();
  const { gradients, encoded } = detector.cost(size);
  const report = (done: number, note?: string) => progress.step(done, gradients || encoded, note);
  const finding = await detector.run({ ...subjects, classNames, seed, signal, report });
  return {
    name: detector.name,
    title: detector.title,
    statistic: finding.statistic,
    means: detector.statistic,
    suspects: finding.suspects.map(({ label, ...one }) => ({ target: classNames[label], ...one })).slice(0, 10),
    facts: { ...finding.facts },
    seconds: (performance.now() - begun) / 1000,
  };
}

/** What the weights of an image encoder say, which has no text tower and so no classes. */
async function withoutText(spec: ScanSpec, code: Code, clock: Clock, context: Context): Promise<Found> {
  const { prefix: _, ignoreTensors: __, ...rest } = spec;
  const because = [withoutHead("it is an image encoder alone, without a text tower to encode class names")];
  return withTextTower(spec.model, async (model, parameters) => {
    const found = await scanned({ ...rest, model }, clock, context);
    const own = { path: basename(spec.model), sha256: code.sha256, parameters };
    return { ...found, because, model: { ...found.model, ...own } };
  });
}

/** A file that nobody should load, and that we do not: of its weights nothing is known. */
async function unopened(spec: ScanSpec, { sha256, artifact, refused }: Code, context: Context): Promise<Found> {
  const unknown = "unknown";
  return {
    seed: spec.seed,
    level: spec.quick ? "quick" : "full",
    model: { path: basename(artifact), sha256, layout: unknown, dtype: unknown, architecture: unknown, parameters: 0 },
    data: { name: spec.data, classes: 0, fit: 0, held: 0 },
    verdict: "inconclusive",
    because: [`its weights cannot be opened: ${refused}`],
    suspects: [],
    detectors: [],
    answers: { most: "", share: 0 },
    machine: machineFacts(await context.runtime(), spec.threads),
  };
}
