/** Merging fine-tuned checkpoints of one base into one, piece by piece, written as the base is stored. */
import { taskArithmetic, ties, trimmingThreshold } from "../../arithmetic/merge.ts";
import { axpy, inner } from "../../arithmetic/task-vector.ts";
import { type Checkpoint, readCheckpoint } from "../../checkpoint/clip-folder.ts";
import { parameterShapes } from "../../checkpoint/config/config.ts";
import { type Change, type Parameters, pieces } from "../../checkpoint/pieces.ts";
import { refuseCheckpoint, writeCheckpoint } from "../../checkpoint/write-checkpoint.ts";
import { made } from "../../results/base.ts";
import type { MergeResult } from "../../results/merge.ts";
import { badInput } from "../../tensor/error.ts";
import { sizeOf, type Tensor, type Weights } from "../../tensor/tensor.ts";
import type { Context } from "../context.ts";
import { openedModel } from "../inputs/describe-opened.ts";
import { type Implanted, implantedTriggers, receiptKey, triggerMetadata } from "../inputs/model-facts.ts";
import { modelPath } from "../inputs/names.ts";
import { checkSameParameters } from "../inputs/same-parameters.ts";
import { Clock, readingOf } from "../record/facts.ts";
import { type MergeSpec as Spec, usual } from "./spec.ts";

type Settings = MergeResult["settings"];

export interface OpenedMerge {
  readonly base: Checkpoint;
  readonly models: readonly Checkpoint[];
  readonly settings: Settings;
}

/**
 * The checkpoints and settings of a merge, checked; no values are read. Throws `bad-input` naming the first tensor in which a
 * model differs from the base by name or shape.
 */
export async function openMerge({ base: path, models: paths, ...asked }: Spec): Promise<OpenedMerge> {
  const settings = settingsOf(asked);
  if (paths.length === 0) throw badInput("there is nothing to merge: name the fine-tuned checkpoints");
  const base = await readCheckpoint(modelPath(path), asked);
  const models: Checkpoint[] = [];
  for (const path of paths) models.push(await readCheckpoint(modelPath(path), asked));
  const shaped = ({ path, config }: Checkpoint) => ({ path, shapes: parameterShapes(config) });
  for (const model of models)
    checkSameParameters(shaped(base), shaped(model), "only models fine-tuned from the base can be merged");
  return { base, models, settings };
}

function settingsOf({ method, lambda, density, combine }: Omit<Spec, "base" | "models">): Settings {
  if (method === "ties") {
    const { ties } = usual;
    const rest = { density: density ?? ties.density, combine: combine ?? ties.combine };
    return { method, lambda: lambda ?? ties.lambda, ...rest };
  }
  const unused = density !== undefined ? "density" : combine !== undefined ? "combine" : undefined;
  if (unused !== undefined) throw badInput(`--${unused} belongs to --method ties; task arithmetic has none`);
  return { method, lambda: lambda ?? usual[method].lambda };
}

/**
 * Merge and write, in pieces of 4 MiB; only while TIES looks for what to trim one whole vector is held. Throws as `openMerge`
 * does, and `bad-input` on a model that equals the base.
 */
export async function merge(spec: Spec, { progress, signal, command, set }: Context): Promise<MergeResult> {
  const { out, force } = spec;
  if (out === undefined) throw badInput("out is missing: a merge is nothing but what it writes");
  const clock = new Clock();
  progress.stage("load");
  const { base, models, settings } = await openMerge(spec);
  progress.opened?.({ models: [base, ...models].map(openedModel) });
  await refuseCheckpoint(out, base, [], { force, set });
  progress.stage("hash");
  const named = async (checkpoint: Checkpoint) => ({ path: checkpoint.path, sha256: await checkpoint.sha256() });
  const parents: Awaited<ReturnType<typeof named>>[] = [];
  for (const model of models) parents.push(await named(model));
  const facts = { settings, base: await named(base) };
  const triggers = carriedTriggers([base, ...models]);
  const { [receiptKey]: _, ...kept } = base.metadata; // its figures are those of other weights
  const metadata = {
    ...kept,
    ...triggerMetadata(triggers.map(({ of, ...implanted }) => implanted)),
    "tbar.merge": JSON.stringify({ ...facts, models: parents }),
  };

  const squares = models.map(() => 0);
  await together([base, ...models], async ([before, ...after]) => {
    progress.stage("compare");
    for (const [t, model] of after.entries()) {
      if (await differ(before, model, signal)) continue;
      throw badInput(`${models[t].path} has the weights of ${base.path}: there is nothing to merge of it`);
    }

    const thresholds: number[] = [];
    if (settings.method === "ties") {
      progress.stage("trim");
      for (const model of after) {
        thresholds.push(trimmingThreshold(await wholeVector(before, model, signal), settings.density));
        progress.step(thresholds.length, models.length);
      }
    }

    progress.stage("merge");
    let done = 0;
    const change = (name: string): Change => {
      return async (from, values) => {
        signal?.throwIfAborted();
        if (from === 0) progress.step(++done, before.shapes.size);
        const parts: Weights[] = [];
        for (const [t, model] of after.entries()) {
          const tau = await model.read(name, from, values.length);
          axpy(-1, values, tau);
          squares[t] += inner(tau, tau);
          parts.push(pieceOf(name, tau));
        }
        const piece = pieceOf(name, values);
        const merged =
          settings.method === "ties"
            ? ties(piece, parts, { ...settings, thresholds })
            : taskArithmetic(piece, parts, settings.lambda);
        values.set(merged.get(name)!.data);
      };
    };
    const changes = new Map([...before.shapes.keys()].map((name) => [name, change(name)]));
    await writeCheckpoint(out, { like: { ...base, metadata }, weights: new Map(), changes }, { force, set });
  });
  progress.stage("hash");
  return {
    ...made("merge", 2, command),
    ...facts,
    models: parents.map((parent, t) => ({ ...parent, norm: Math.sqrt(squares[t]) })),
    triggers,
    ...readingOf(base, ...models),
    output: await named(await readCheckpoint(out)),
    seconds: clock.seconds(),
  };
}

/** Run `work` with the parameters of all checkpoints open. */
function together<T>(
  [first, ...rest]: readonly Checkpoint[],
  work: (all: readonly Parameters[]) => Promise<T>,
  open: readonly Parameters[] = [],
): Promise<T> {
  return first === undefined ? work(open) : first.stream((one) => together(rest, work, [...open, one]));
}

async function differ(a: Parameters, b: Parameters, signal: AbortSignal | undefined): Promise<boolean> {
  for (const [name, shape] of a.shapes) {
    for (const [from, count] of pieces(sizeOf(shape))) {
      signal?.throwIfAborted();
      const other = await b.read(name, from, count);
      if ((await a.read(name, from, count)).some((v, i) => v !== other[i])) return true;
    }
  }
  return false;
}

/** tau = theta_t - theta_0, tensors that do not differ left out. */
async function wholeVector(base: Parameters, model: Parameters, signal: AbortSignal | undefined): Promise<Weights> {
  const tau = new Map<string, Tensor>();
  for (const [name, shape] of base.shapes) {
    signal?.throwIfAborted();
    const data = await model.read(name, 0, sizeOf(shape));
    axpy(-1, await base.read(name, 0, sizeOf(shape)), data);
    if (data.some((v) => v !== 0)) tau.set(name, { shape, data });
  }
  return tau;
}

function pieceOf(name: string, data: Float32Array): Weights {
  return new Map([[name, { shape: [data.length], data }]]);
}

/** Every backdoor that a model says it carries, once. */
function carriedTriggers(models: readonly Checkpoint[]): MergeResult["triggers"] {
  const all = models.flatMap(({ metadata, path }) => implantedTriggers(metadata).map((one) => ({ ...one, of: path })));
  const said = ({ trigger, target }: Implanted) => JSON.stringify([trigger, target]);
  return all.filter((one, i) => all.findIndex((other) => said(other) === said(one)) === i);
}
