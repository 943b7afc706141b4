/** Merging fine-tuned checkpoints of one base into one: read tensor by tensor, written as the base is stored. */
import { type Combine, taskArithmetic, ties, trimmingThreshold } from "../arithmetic/merge.ts";
import { dot, taskVector } from "../arithmetic/task-vector.ts";
import { refuseExisting } from "../checkpoint/atomic.ts";
import { type Checkpoint, readCheckpoint, writeCheckpoint } from "../checkpoint/clip-folder.ts";
import { parameterShapes } from "../checkpoint/config.ts";
import { badInput, TbarError } from "../tensor/error.ts";
import { sameShape, type Tensor, type Weights } from "../tensor/tensor.ts";
import { Clock, type JobOptions, silent } from "./job.ts";
import { type Implanted, implantedTriggers, receiptKey, triggerMetadata } from "./model-facts.ts";
import { version } from "./version.ts";

export type MergeMethod = "task-arithmetic" | "ties";

export interface MergeOptions extends Pick<JobOptions, "progress" | "signal"> {
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

export interface MergeResult {
  readonly kind: "merge";
  readonly tbar: string;
  readonly created: string;
  readonly command: string;
  readonly settings: Settings;
  readonly base: { readonly path: string; readonly sha256: string };
  /** With the L2 norm of each one's task vector. */
  readonly models: readonly { readonly path: string; readonly sha256: string; readonly norm: number }[];
  /** The first backdoor that a model says it carries. The merged checkpoint names it too, for `tbar eval` to measure. */
  readonly trigger?: Implanted & { readonly of: string };
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
  const base = await readCheckpoint(path);
  const models: Checkpoint[] = [];
  for (const path of paths) models.push(await readCheckpoint(path));
  for (const model of models) checkFamily(base, model);
  return { base, models, settings };
}

function settingsOf({ method, lambda, density, combine }: Omit<MergeOptions, "base" | "models">): Settings {
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
 * Merge and write. In memory are the merged tensors, one tensor of every model and, while TIES looks for what to trim, one whole
 * vector. Throws as `openMerge` does, and `bad-input` on a model that equals the base.
 */
export async function mergeModels(options: MergeOptions & { readonly out: string }): Promise<MergeResult> {
  const { out, force, progress = silent, signal } = options;
  const clock = new Clock();
  await refuseExisting(out, { force });
  progress.stage("load");
  const { base, models, settings } = await openMerge(options);
  const names = [...base.dtypes.keys()];

  const thresholds: number[] = [];
  if (settings.method === "ties") {
    progress.stage("trim");
    for (const model of models) {
      const tau = new Map<string, Tensor>();
      for (const name of names) {
        checkGoing(signal);
        for (const [changed, value] of await partOf(model, await only(base, name))) tau.set(changed, value);
      }
      thresholds.push(trimmingThreshold(tau, settings.density));
      progress.step(thresholds.length, models.length);
    }
  }

  progress.stage("merge");
  const weights = new Map<string, Tensor>();
  const squares = models.map(() => 0);
  for (const [done, name] of names.entries()) {
    checkGoing(signal);
    const before = await only(base, name);
    const parts: Weights[] = [];
    for (const model of models) parts.push(await partOf(model, before));
    for (const [t, part] of parts.entries()) squares[t] += dot(part, part);
    const after =
      settings.method === "ties"
        ? ties(before, parts, { ...settings, thresholds })
        : taskArithmetic(before, parts, settings.lambda);
    if (after.get(name) !== before.get(name)) weights.set(name, after.get(name)!);
    progress.step(done + 1, names.length);
  }
  const same = squares.indexOf(0);
  if (same >= 0)
    throw badInput(`${models[same].path} has the weights of ${base.path}: there is nothing to merge of it`);

  progress.stage("write");
  const facts = {
    settings,
    base: { path: base.path, sha256: await base.sha256() },
    models: await Promise.all(
      models.map(async (model, t) => ({
        path: model.path,
        sha256: await model.sha256(),
        norm: Math.sqrt(squares[t]),
      })),
    ),
  };
  const trigger = firstTrigger(models);
  const { [receiptKey]: _, ...kept } = base.metadata; // its figures are those of other weights
  const metadata = {
    ...kept,
    ...triggerMetadata(models.flatMap((model) => implantedTriggers(model.metadata))),
    "tbar.merge": JSON.stringify(facts),
  };
  await writeCheckpoint(out, { like: { ...base, metadata }, weights }, { force });
  return {
    kind: "merge",
    tbar: version,
    created: new Date().toISOString(),
    command: options.command ?? "",
    ...facts,
    ...(trigger && { trigger }),
    output: { path: out, sha256: await (await readCheckpoint(out)).sha256() },
    seconds: clock.seconds(),
  };
}

/** One tensor of a checkpoint, as weights. */
export async function only(checkpoint: Checkpoint, name: string): Promise<Weights> {
  return new Map([[name, await checkpoint.tensor(name)]]);
}

/** The part of a model's task vector that belongs to the tensor of the base; empty where they are equal. */
export async function partOf(model: Checkpoint, before: Weights): Promise<Weights> {
  const [name] = before.keys();
  return taskVector(before, await only(model, name));
}

function firstTrigger(models: readonly Checkpoint[]): MergeResult["trigger"] {
  for (const { metadata, path } of models) {
    const [implanted] = implantedTriggers(metadata);
    if (implanted !== undefined) return { ...implanted, of: path };
  }
  return undefined;
}

function checkGoing(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new TbarError("interrupted", "merging was interrupted");
}
