/** A map of the weight disentanglement error: two vectors, a grid of models, four counts at each place. */
import { basename } from "node:path";
import { cosinesByPart, productsOf } from "../../arithmetic/by-layer.ts";
import { cosine, norm } from "../../arithmetic/task-vector.ts";
import type { Dataset } from "../../data/dataset.ts";
import { createScorer } from "../../engine/scorer.ts";
import { zeroShotHead } from "../../engine/zero-shot.ts";
import { writeFileAtomic } from "../../files/atomic.ts";
import { version } from "../../files/version.ts";
import { labelsOf } from "../../metrics/accuracy.ts";
import { regionOf, xiOf } from "../../metrics/disentanglement.ts";
import { xiReport } from "../../report/xi/xi-report.ts";
import { made } from "../../results/base.ts";
import { ratesAt, type XiResult } from "../../results/xi.ts";
import { rate } from "../../stats/rate.ts";
import type { Context } from "../context.ts";
import { openWork, type Work } from "../progress/work.ts";
import { Clock, checkpointFacts, computedOn, readAs } from "../record/facts.ts";
import { decisive } from "../spec.ts";
import { type Counts, counted, createGrid } from "./grid.ts";
import { stagesOf } from "./plan.ts";
import { type Prepared, prepare } from "./prepare.ts";
import { type XiSpec, xiSpec } from "./spec.ts";
import { vectorsOf } from "./vectors.ts";

/** Map the error over the grid. With `state` what was trained and counted before a kill is not done again. */
export async function xi(spec: XiSpec, context: Context): Promise<XiResult> {
  const { progress, signal, command, set } = context;
  const clock = new Clock(progress);
  clock.stage("load");
  const ready = await prepare(spec, context);
  const { clip, backdoored, classNames, source, trigger, target, alphas, opened, warnings } = ready;
  const work = spec.state === undefined ? undefined : await openWork(spec.state, await recipeOf(ready, spec), clock);
  const head = await zeroShotHead(clip.encoder, clip.weights, classNames, source.templates, signal);
  progress.plan?.(stagesOf(spec, ready));

  const vectors = await vectorsOf(ready, spec, { head, work, clock }, context);
  const tau = { clean: vectors.clean.tau, trigger: vectors.trigger.tau };
  clock.stage("grid");
  const scorer = (images: Dataset) => createScorer(clip, images, head, { signal });
  const images = { clean: ready.clean.size, triggered: ready.triggered.size };
  const asked = { clean: scorer(ready.clean), labels: labelsOf(ready.clean), triggered: scorer(ready.triggered), target: ready.targetLabel }; // biome-ignore format: one line
  const at = kept(createGrid({ origin: clip.weights, ...tau, alphas }, asked), work, alphas, images);
  const places: Counts[][] = alphas.map(() => []);
  for (const c of alphas.keys())
    for (const t of alphas.keys()) {
      signal?.throwIfAborted();
      places[c].push(await at(c, t));
      progress.step(c * alphas.length + t + 1, alphas.length ** 2);
    }

  const countsOf = (name: keyof Counts) => places.map((row) => row.map((one) => one[name]));
  const counts = { clean: countsOf("clean"), triggered: countsOf("triggered"), right: countsOf("right"), target: countsOf("target") }; // biome-ignore format: one line
  const errors = places.map((row) => row.map((one) => xiOf(rate(one.clean, images.clean), rate(one.triggered, images.triggered)))); // biome-ignore format: one line
  const place = (alphaC: number, alphaT: number) => {
    const [c, t] = [alphas.indexOf(alphaC), alphas.indexOf(alphaT)];
    if (c < 0 || t < 0) return undefined;
    return { alphas: [alphaC, alphaT] as const, ...errors[c][t], ...ratesAt({ counts, images }, c, t) };
  };
  const [together, negated] = [place(1, 1), place(1, -1)];
  const said = ({ tau, ...rest }: (typeof vectors)["clean"]) => ({ ...rest, norm: norm(tau) });
  const result: XiResult = {
    ...made("xi", 1, command),
    seed: spec.seed,
    model: await checkpointFacts(clip.checkpoint),
    ...(backdoored && { backdoored: { path: basename(backdoored.path), sha256: await backdoored.sha256() } }),
    data: source.name,
    opened,
    trigger: trigger.spec,
    target,
    ...(warnings.length > 0 && { warnings }),
    vectors: {
      clean: said(vectors.clean),
      trigger: said(vectors.trigger),
      cosine: cosine(tau.clean, tau.trigger),
      groups: cosinesByPart(productsOf(clip.weights.keys(), tau.clean, tau.trigger)),
    },
    images,
    alphas,
    counts,
    xi: errors.map((row) => row.map(({ value }) => value)),
    region: regionOf(errors),
    origin: place(0, 0) as XiResult["origin"],
    ...(together && { together }),
    ...(negated && { negated }),
    ...clock.facts(clip.runtime, spec.threads),
  };
  if (spec.report !== undefined) await writeFileAtomic(spec.report, xiReport(result), { force: spec.force, set });
  if (work !== undefined) await (set ? set.afterwards(work.remove) : work.remove());
  return result;
}

/** The same counts, each asked for once in all runs of one state; a place of which all is known is not computed. */
function kept(
  at: (c: number, t: number) => Promise<Counts>,
  work: Work | undefined,
  alphas: readonly number[],
  images: XiResult["images"],
): typeof at {
  if (work === undefined) return at;
  const sizes = { clean: images.clean, triggered: images.triggered, right: images.clean, target: images.triggered };
  return async (c, t) => {
    let found: Promise<Counts> | undefined;
    const hits = async (name: keyof Counts) => (await (found ??= at(c, t)))[name];
    const counts: [string, number][] = [];
    for (const name of counted) {
      const metric = { size: sizes[name], hits: () => hits(name) };
      const where = `at ${alphas[c]}, ${alphas[t]}`;
      counts.push([name, await work.counted(metric, name, () => where).hits(new Map())]);
    }
    return Object.fromEntries(counts) as unknown as Counts;
  };
}

/** All that decides what is trained and counted. */
async function recipeOf(ready: Prepared, spec: XiSpec): Promise<string> {
  const { clip, backdoored, control, recipes, trigger, target } = ready;
  const { report: _, ...asked } = decisive(xiSpec, spec);
  const others = [await backdoored?.sha256(), await control?.sha256()];
  return JSON.stringify({ version, ...asked, ...(await readAs(clip)), others, trigger: trigger.spec, target, recipes, ...computedOn(spec) }); // biome-ignore format: one line
}
