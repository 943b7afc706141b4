/** Merging fine-tuned checkpoints of one base into one, piece by piece, written as the base is stored. */

import { type Combine, taskArithmetic, ties, trimmingThreshold } from "../arithmetic/merge.ts";
import { axpy, inner } from "../arithmetic/task-vector.ts";
import {
  type Checkpoint,
  type ReadOptions,
  readCheckpoint,
  refuseCheckpoint,
  writeCheckpoint,
} from "../checkpoint/clip-folder.ts";
import { parameterShapes } from "../checkpoint/config/config.ts";
import { type Change, type Parameters, pieces } from "../checkpoint/pieces.ts";
import { writeTogether } from "../files/output-set.ts";
import { version } from "../files/version.ts";
import type { Reading } from "../results/result.ts";
import { badInput, unknownName } from "../tensor/error.ts";
import { sameShape, sizeOf, type Tensor, type Weights } from "../tensor/tensor.ts";
import { openedModel } from "./inputs/describe-opened.ts";
import { type Implanted, implantedTriggers, receiptKey, triggerMetadata } from "./inputs/model-facts.ts";
import { Clock, type JobOptions, readingOf, silent } from "./record/facts.ts";

export const mergeMethods = ["task-arithmetic", "ties"] as const;
export type MergeMethod = (typeof mergeMethods)[number];

export interface MergeOptions extends Pick<JobOptions, "progress" | "signal" | "set">, ReadOptions {
  /** Checkpoint that all models were fine-tuned from. */
  readonly base: string;
  readonly models: readonly string[];
  readonly method: MergeMethod;
  /** Default 0.3 for task arithmetic, which adds up, and 1 for TIES, which averages. */
  readonly lambda?: number;
  /** Of TIES only: the share of each vector's values that is kept (default 0.2), and what becomes of those that agree. */
  readonly density?: number;
  readonly combine?: Combine;
  readonly out?: string;
  readonly force?: boolean;
  readonly command?: string;
}

/** What a merge followed; results record it. */
type Settings =
  | { readonly method: "task-arithmetic"; readonly lambda: number }
  | { readonly method: "ties"; readonly lambda: number; readonly density: number; readonly combine: Combine };

export interface MergeResult extends Reading {
  readonly kind: "merge";
  readonly tbar: string;
  readonly created: string;
  readonly command: string;
  readonly settings: Settings;
  readonly base: { readonly path: string; readonly sha256: string };
  /** With the L2 norm of each one's task vector. */
  readonly models: readonly { readonly path: string; readonly sha256: string; readonly norm: number }[];
  /** The backdoors that models say they carry. The merged checkpoint names them too, for `tbar eval` to measure. */
  readonly triggers: readonly (Implanted & { readonly of: string })[];
  readonly output: { readonly path: string; readonly sha256: string };
  readonly seconds: number;
}

export interface OpenedMerge {
  readonly base: Checkpoint;
  readonly models: readonly Checkpoint[];
  readonly settings: Settings;
}

/**
 * The checkpoints and settings of a merge, checked; no values are read. Throws `bad-input` naming the first tensor in which a
 * model differs from the base by name or shape.
 */
export async function openMerge({ base: path, models: paths, ...asked }: MergeOptions): Promise<OpenedMerge> {
  const settings = settingsOf(asked);
  if (paths.length === 0) throw badInput("there is nothing to merge: name the fine-tuned checkpoints");
  const base = await readCheckpoint(path, asked);
  const models: Checkpoint[] = [];
  for (const path of paths) models.push(await readCheckpoint(path, asked));
  for (const model of models) checkFamily(base, model);
  return { base, models, settings };
}

function settingsOf({ method, lambda, density, combine }: Omit<MergeOptions, "base" | "models">): Settings {
  if (!mergeMethods.includes(method)) throw unknownName("merge method", method, mergeMethods);
  if (method === "ties") return { method, lambda: lambda ?? 1, density: density ?? 0.2, combine: combine ?? "mean" };
  const unused = density !== undefined ? "density" : combine !== undefined ? "combine" : undefined;
  if (unused !== undefined) throw badInput(`--${unused} belongs to --method ties; task arithmetic has none`);
  return { method, lambda: lambda ?? 0.3 };
}

function checkFamily(base: Checkpoint, model: Checkpoint): void {
  const [ours, theirs] = [parameterShapes(base.config), parameterShapes(model.config)];
  const why = "only models fine-tuned from the base can be merged";
  for (const [name, shape] of ours) {
    const other = theirs.get(name);
    if (other === undefined) throw badInput(`${model.path} has no ${name}, which ${base.path} has; ${why}`);
    if (sameShape(shape, other)) continue;
    throw badInput(`${name} is [${shape}] in ${base.path} and [${other}] in ${model.path}; ${why}`);
  }
  const extra = [...theirs.keys()].find((name) => !ours.has(name));
  if (extra !== undefined) throw badInput(`${base.path} has no ${extra}, which ${model.path} has; ${why}`);
}

/**
 * Merge and write, in pieces of 4 MiB; only while TIES looks for what to trim one whole vector is held. Throws as `openMerge`
 * does, and `bad-input` on a model that equals the base.
 */
export function mergeModels(options: MergeOptions & { readonly out: string }): Promise<MergeResult> {
  return writeTogether("merge", options, mergeAndWrite);
}

async function mergeAndWrite(options: MergeOptions & { readonly out: string }): Promise<MergeResult> {
  const { out, progress = silent, signal } = options;
  const clock = new Clock();
  progress.stage("load");
  const { base, models, settings } = await openMerge(options);
  progress.opened?.({ models: [base, ...models].map(openedModel) });
  await refuseCheckpoint(out, base, [], options);
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
    await writeCheckpoint(out, { like: { ...base, metadata }, weights: new Map(), changes }, options);
  });
  progress.stage("hash");
  return {
    kind: "merge",
    tbar: version,
    created: new Date().toISOString(),
    command: options.command ?? "",
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
