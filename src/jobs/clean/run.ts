/** The main job: a backdoored checkpoint goes in, a repaired one and the evidence come out. */
import { asSubtracted, flooredVariances } from "../../arithmetic/running-variance.ts";
import { family } from "../../defenses/index.ts";
import { writeFileAtomic } from "../../files/atomic.ts";
import { version } from "../../files/version.ts";
import { measure } from "../../metrics/accuracy.ts";
import { cleanReport } from "../../report/clean-report.ts";
import type { CleanResult } from "../../results/clean.ts";
import type { Context } from "../context.ts";
import { checkEnoughImages } from "../inputs/feasible.ts";
import { openWork } from "../progress/work.ts";
import { Clock } from "../record/facts.ts";
import { judge, notFound } from "../record/verdict.ts";
import { type Bench, setUp } from "./bench.ts";
import { besideTbar } from "./beside-tbar.ts";
import { controlOn } from "./control.ts";
import { choose, defend, type Tried } from "./defend.ts";
import { factsOf, measuredOn, recipeOf, sizesOf, usable } from "./facts.ts";
import { prepare, stagesOf } from "./prepare.ts";
import { refuseWithoutBackdoor } from "./refuse-without-backdoor.ts";
import { type Scores, scoring } from "./scores.ts";
import type { CleanSpec } from "./spec.ts";
import { comparedWith, examplePictures, verify } from "./verify.ts";
import { refuseCleaned, writeCleaned } from "./write.ts";

/** Remove a backdoor whose trigger is known, or one that a scan finds. The verdict of the result says whether that is verified. */
export async function clean(spec: CleanSpec, context: Context): Promise<CleanResult> {
  const unknown = spec.unknown && (await import("./unknown/run.ts")).cleanUnknown;
  const result = await (unknown || cleanAndWrite)(spec, context);
  const { report, force } = spec;
  if (report !== undefined) await writeFileAtomic(report, cleanReport(result), { force, set: context.set });
  return result;
}

async function cleanAndWrite(spec: CleanSpec, context: Context): Promise<CleanResult> {
  const { out, state } = spec;
  const writing = { force: spec.force, set: context.set };
  const clock = new Clock(context.progress);
  clock.stage("load");
  const ready = await prepare(spec, context);
  if (out !== undefined) await refuseCleaned(out, ready.clip.checkpoint, writing);
  const bench = await setUp(ready, spec.seed, context);
  const { clip, rule } = bench;
  checkEnoughImages(rule, usable(bench));
  const work = state === undefined ? undefined : await openWork(state, await recipeOf(bench, spec), clock);
  const scores = scoring(bench, work);

  context.progress.plan?.(stagesOf(spec, bench, sizesOf(bench)));
  clock.stage("measure before");
  const { caBefore, warnings } = await refuseUnlessAlive(bench, scores);
  const before = await scores.before();
  const control = await controlOn(["validation", "test"], bench, spec, context);
  const known = { scores, work, clock, caBefore, before, control: control?.validation.reading };
  const tried = await defend(bench, spec, known, context);
  const chosen = choose(tried);
  const { after, variant, defense } = chosen ?? tried[0];
  const facts = {
    schema: "tbar/clean/2" as const,
    kind: "clean" as const,
    tbar: version,
    command: context.command,
    ...(await factsOf(bench, spec, context)),
    ...(warnings.length > 0 && { warnings }),
    variants: besideTbar(tried, chosen),
    before,
    after,
    method: defense.name,
    alpha: variant.alpha,
    retention: variant.retention,
    retentionInterval: variant.retentionInterval,
  };
  const now = () => new Date().toISOString();
  const finish = () => ({ created: now(), ...clock.facts(clip.runtime, spec.threads) });
  if (chosen === undefined)
    return {
      ...facts,
      proof: { ...comparedWith(control?.test), shifted: [] },
      verdict: notFound(rule),
      examples: [],
      ...finish(),
    };

  clock.stage("verify");
  const weights = scores.stored(chosen.repair.weights);
  const proof = await verify(bench, spec, context, { after: weights, control: control?.test });
  const examples = await examplePictures(bench, weights);
  const doubts = [...(variant.doubts ?? []), ...notNeeded(bench, tried)];
  const verdict = judge(before, after, rule, { doubts, control: proof.control });
  const floored = flooredVariances(clip.weights, weights);
  const frozenHead = await bench.underFrozen?.(weights);
  const measured = { ...facts, ...(frozenHead && { frozenHead }), ...(floored > 0 && { floored }), proof, verdict };
  if (out === undefined) return { ...measured, ...examples, ...finish() };

  clock.stage("write");
  const evidence = { measuredOn: await measuredOn(bench, weights), rule };
  const { vector } = chosen.repair;
  const written = await writeCleaned({
    bench,
    weights,
    vector: vector && { ...vector, tau: asSubtracted(vector.tau, clip.weights, weights, vector.alpha) },
    receipt: { ...measured, ...evidence, variants: undefined, created: now(), seconds: clock.seconds() },
    out,
    options: writing,
  });
  if (work !== undefined) await (context.set ? context.set.afterwards(work.remove) : work.remove());
  return {
    ...measured, // the file as it is on disk: it was read back bit for bit
    ...evidence,
    proof: { ...proof, ...(written.restore !== undefined && { restore: written.restore }) },
    output: { path: out, sha256: written.sha256 },
    ...examples,
    ...finish(),
  };
}

/** What was not run since what had run before it sufficed. */
function notNeeded({ spare = [] }: Bench, tried: readonly Tried[]): readonly string[] {
  const names = spare.filter((name) => !tried.some(({ defense }) => defense.name === name));
  if (names.length === 0) return [];
  return [`Not run, since another sufficed on validation images: ${names.join(", ")} (--method ${family.join(",")} runs them all)`]; // biome-ignore format: one line
}

/** CA on validation images, and what is doubtful of the images. Throws `not-proven` without a live backdoor. */
async function refuseUnlessAlive(bench: Bench, { clean, effect }: Scores) {
  const { clip, threat, rule } = bench;
  const folder = threat.triggered && (await bench.ordinary(threat.triggered));
  const ca = await measure(clean, clip.weights);
  const knows = { ca, chance: await bench.chance(), isOrdinary: folder?.isOrdinary };
  await refuseWithoutBackdoor(effect, clip.weights, { ...knows, rule, target: threat.target });
  return { caBefore: ca.value, warnings: [...bench.warnings, ...(folder?.warnings ?? [])] };
}
