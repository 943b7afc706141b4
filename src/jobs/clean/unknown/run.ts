/** Cleaning without knowledge of the attack: scan, recover triggers, clean on them, scan again, until no target is found. */
import { flooredVariances } from "../../../arithmetic/running-variance.ts";
import { version } from "../../../files/version.ts";
import { made } from "../../../results/base.ts";
import type { CleanResult } from "../../../results/clean.ts";
import type { ScanResult } from "../../../results/scan.ts";
import type { Weights } from "../../../tensor/tensor.ts";
import type { Context } from "../../context.ts";
import { openWork, type Work } from "../../progress/work.ts";
import { Clock } from "../../record/facts.ts";
import { scanPrepared } from "../../scan/run.ts";
import { besideTbar } from "../beside-tbar.ts";
import { controlOn } from "../control.ts";
import { factsOf, measuredOn } from "../facts.ts";
import type { CleanSpec } from "../spec.ts";
import { examplePictures, verify } from "../verify.ts";
import { refuseCleaned, writeCleaned } from "../write.ts";
import { open, recipeOf } from "./prepare.ts";
import { cleanRounds } from "./rounds.ts";
import { truthOf } from "./truth.ts";
import { judgeUnknown } from "./verdict.ts";
import { declaring, vectorOf } from "./written.ts";

/** Remove a backdoor of which nothing is known. Throws `not-proven` where none is found: then nothing is written. */
export async function cleanUnknown(spec: CleanSpec, context: Context): Promise<CleanResult> {
  const { out, seed, threads, state } = spec;
  const clock = new Clock(context.progress);
  clock.stage("load");
  const ready = await open(spec, context);
  const writing = { force: spec.force, set: context.set };
  if (out !== undefined) await refuseCleaned(out, ready.clip.checkpoint, writing);
  const work = state === undefined ? undefined : await openWork(state, await recipeOf(ready, spec), clock);
  const scanning = { seed, quick: true, threads };
  const scanOf = (weights: Weights, kept?: Work) =>
    scanPrepared({ ...ready.scanning, clip: { ...ready.clip, weights } }, scanning, clock, context, kept);

  const { examples: _, ...found } = await scanOf(ready.clip.weights, work?.part("scan"));
  const scan: ScanResult = {
    ...made("scan", 1, context.command),
    ...found,
    seconds: clock.seconds(),
    timings: clock.timings(),
  };
  const { rounds, results, weights } = await cleanRounds(ready, spec, { scan, rescan: scanOf, clock, work }, context);
  const [{ scores, before, tried, chosen, bench }] = rounds;
  const { variant, defense } = chosen ?? tried[0];
  clock.stage("the checkpoint's own trigger");
  const others = Object.fromEntries(tried.map(({ defense, repair }) => [defense.name, scores.stored(repair.weights)]));
  const truth = await truthOf(bench, weights, others, context);
  const told = declaring(bench, truth);
  clock.stage("test");
  const after = await scores.after(weights);
  const retention = after.ca.value / before.ca.value;
  const facts = {
    schema: "tbar/clean/2" as const,
    kind: "clean" as const,
    tbar: version,
    command: context.command,
    ...(await factsOf(told, spec, context)),
    ...(ready.warnings.length > 0 && { warnings: ready.warnings }),
    variants: besideTbar(tried, chosen),
    before,
    after,
    method: defense.name,
    alpha: variant.alpha,
    retention,
    ...(rounds.length === 1 && { retentionInterval: variant.retentionInterval }),
    rounds: results,
  };
  clock.stage("verify");
  const control = await controlOn(["test"], bench, spec, context);
  const proof = await verify(bench, spec, context, { after: weights, control: control?.test });
  const examples = await examplePictures(bench, weights);
  const verdict = judgeUnknown({ before, after, rule: ready.rule, rounds: results, truth, doubts: variant.doubts });
  const floored = flooredVariances(ready.clip.weights, weights);
  const frozenHead = await bench.underFrozen?.(weights);
  const measured = {
    ...facts,
    ...(frozenHead && { frozenHead }),
    ...(truth && { truth }),
    ...(floored > 0 && { floored }),
    proof,
    verdict,
  };
  const finish = () => ({ created: new Date().toISOString(), ...clock.facts(ready.clip.runtime, threads) });
  if (out === undefined) return { ...measured, scan, ...examples, ...finish() };

  clock.stage("write");
  const evidence = { measuredOn: await measuredOn(bench, weights), rule: ready.rule };
  const written = await writeCleaned({
    bench: told,
    weights,
    vector: vectorOf(rounds, ready.clip.weights, weights),
    receipt: { ...measured, ...evidence, variants: undefined, ...finish() },
    out,
    options: writing,
  });
  if (work !== undefined) await (context.set ? context.set.afterwards(work.remove) : work.remove());
  return {
    ...measured,
    ...evidence,
    proof: { ...proof, ...(written.restore !== undefined && { restore: written.restore }) },
    output: { path: out, sha256: written.sha256 },
    scan,
    ...examples,
    ...finish(),
  };
}
