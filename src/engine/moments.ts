/**
 * What the linear maps of an image tower are given: second moments of their inputs, over clean images, and of the step that the trigger makes in them.
 * Of a transformer's maps those that read values as wide as the tower: into and out of attention, into an MLP, and the last one. An MLP's second map
 * reads four times as much, sixteen times the moments.
 */
import { parameterInputs } from "../clip/parameters.ts";
import { imageTower } from "../clip/towers.ts";
import { type Batch, type BatchOptions, batches } from "../data/batches.ts";
import type { Dataset } from "../data/dataset.ts";
import { input, type Node, topological } from "../graph/node.ts";
import { gemm, reduceMean, sub } from "../graph/ops/index.ts";
import type { Runtime } from "../runtime/compile.ts";
import { type Tensor, tensor, type Weights } from "../tensor/tensor.ts";
import type { Clip } from "./clip.ts";
import { finite } from "./encoder.ts";

/** Of values x [D], over images and tokens; s is x of an image with the trigger less x of the same without. */
export interface Moments {
  /** Weights [out, D] of the maps that read x. */
  readonly maps: readonly string[];
  /** Mean of s s^T, [D, D]; without pairs what stands for it (`beyond`). */
  readonly step: Tensor;
  /** Mean of x without the trigger, [D]. */
  readonly mean: Tensor;
  /** Mean of (x - mean) (x - mean)^T without the trigger, [D, D]. */
  readonly spread: Tensor;
}

export interface MomentImages {
  readonly triggered: Dataset;
  /** The same images without the trigger, in the same order, where they are known. */
  readonly pairs?: Dataset;
  /** More images without it: the fewer there are of a map's rows, the less is known of where clean inputs lie. */
  readonly clean: Dataset;
}

/** In the tower's order, which must be a transformer's. */
export async function inputMoments(
  clip: Clip,
  weights: Weights,
  images: MomentImages,
  { batch = 64, signal }: { readonly batch?: number; readonly signal?: AbortSignal } = {},
): Promise<readonly Moments[]> {
  const how = { batch, preprocess: clip.preprocess };
  const apart = clip.runtime.apart();
  const of = (images: AsyncIterable<Pixels>) => meanOf(images, { clip, weights, apart, signal });
  const { triggered, pairs, clean } = images;
  try {
    if (pairs !== undefined)
      return (await of(inPairs(triggered, pairs, clean, how))).map((one) => ({
        step: tensor(one.spread.shape),
        ...one,
      }));
    const attacked = await of(alone(triggered, how));
    return (await of(alone(clean, how))).map((one, i) => ({ ...one, step: beyond(attacked[i], one) }));
  } finally {
    await apart.release();
  }
}

/** Images of a batch, with the trigger and without. */
type Pixels = Readonly<Partial<Record<"triggered", Tensor>> & Record<"clean", Tensor>>;

interface Reading {
  readonly clip: Clip;
  readonly weights: Weights;
  readonly apart: Runtime;
  readonly signal?: AbortSignal;
}

/** Without pairs there is no step. */
type Found = Omit<Moments, "step"> & Partial<Moments>;

async function meanOf(images: AsyncIterable<Pixels>, { clip, weights, apart, signal }: Reading): Promise<Found[]> {
  const programs = new Map<string, ReturnType<typeof compiled>>();
  const sums: Sums[] = [];
  for await (const pixels of images) {
    signal?.throwIfAborted();
    const key = JSON.stringify(Object.entries(pixels).map(([name, { shape }]) => [name, shape]));
    const { read, program } = programs.get(key) ?? compiled(readIn(clip, pixels), apart);
    programs.set(key, { read, program });
    const found = await (await program).run({ ...Object.fromEntries(weights), ...pixels });
    for (const [i, { maps, rows }] of read.entries()) {
      const of = (what: string) => finite(found[`${what} ${i}`], "images");
      const step = "triggered" in pixels ? { steps: rows, step: of("step") } : undefined;
      const one = { maps, rows, mean: of("mean"), spread: of("spread"), ...step };
      sums[i] = sums[i] === undefined ? { steps: 0, ...one } : joined(sums[i], one);
    }
  }
  return sums.map(({ maps, rows, mean, spread, steps, step }) => {
    const by = ({ shape, data }: Tensor, n: number) => ({ shape, data: data.map((v) => v / Math.max(n, 1)) });
    return { maps, mean, spread: by(spread, rows), ...(step && { step: by(step, steps) }) };
  });
}

/**
 * What stands for the step's moments where only other images are known without the trigger (ours): of triggered inputs t, E (t - mean) (t - mean)^T
 * less the spread of clean ones, which is E s s^T where the step does not depend on what it is added to. It need not be positive: where the trigger draws inputs
 * together it is negative, to the spread at most.
 */
function beyond(attacked: Found, { mean, spread }: Found): Tensor {
  const n = mean.data.length;
  const apart = attacked.mean.data.map((v, i) => v - mean.data[i]);
  const data = attacked.spread.data.map((v, at) => v + apart[Math.floor(at / n)] * apart[at % n] - spread.data[at]);
  return { shape: spread.shape, data };
}

/** Batches of images with the trigger and without, then of those without alone. */
async function* inPairs(triggered: Dataset, pairs: Dataset, clean: Dataset, how: BatchOptions): AsyncGenerator<Pixels> {
  if (triggered.size !== pairs.size) throw new RangeError(`${triggered.size} images beside ${pairs.size}`);
  const others = batches(pairs, how)[Symbol.asyncIterator]();
  for await (const { pixels } of batches(triggered, how))
    yield { triggered: pixels, clean: ((await others.next()).value as Batch).pixels };
  yield* alone(clean, how);
}

async function* alone(images: Dataset, how: BatchOptions): AsyncGenerator<Pixels> {
  for await (const { pixels } of batches(images, how)) yield { clean: pixels };
}

/** Not yet divided by the number of rows, but for the mean. */
interface Sums extends Found {
  readonly rows: number;
  /** Rows with the trigger and without. */
  readonly steps: number;
}

/** Of the rows of both, in the first one's place (Chan, Golub and LeVeque 1983, equation 2.1): squares of what is far from zero are never made. */
function joined(a: Sums, b: Omit<Sums, "step" | "steps"> & Partial<Sums>): Sums {
  const rows = a.rows + b.rows;
  const n = a.mean.data.length;
  const apart = a.mean.data.map((v, i) => b.mean.data[i] - v);
  const by = (a.rows * b.rows) / rows;
  for (let i = 0; i < n; i++)
    for (let j = 0, at = i * n; j < n; j++, at++) a.spread.data[at] += b.spread.data[at] + by * apart[i] * apart[j];
  for (let i = 0; i < n; i++) a.mean.data[i] += (apart[i] * b.rows) / rows;
  b.step?.data.forEach((v, at) => {
    if (a.step) a.step.data[at] += v;
  });
  return { ...a, step: a.step ?? b.step, rows, steps: a.steps + (b.steps ?? 0) };
}

/** Values that linear maps read, rows [N, D], with the trigger and without. */
interface Read {
  readonly maps: readonly string[];
  readonly rows: number;
  readonly clean: Node;
  readonly triggered?: Node;
}

function compiled(read: readonly Read[], runtime: Runtime) {
  const outputs: Record<string, Node> = {};
  for (const [i, { clean: x, triggered }] of read.entries()) {
    const mean = reduceMean(x, [0]);
    const centred = sub(x, mean);
    outputs[`mean ${i}`] = mean;
    outputs[`spread ${i}`] = gemm(centred, centred, { transA: true });
    if (triggered === undefined) continue;
    const s = sub(triggered, x);
    outputs[`step ${i}`] = gemm(s, s, { transA: true });
  }
  return { read, program: runtime.compile(outputs) };
}

/** The towers of both kinds of images share their weights. */
function readIn({ config, preprocess }: Clip, { clean: ordinary, triggered: stamped }: Pixels): readonly Read[] {
  const p = parameterInputs(config);
  const mapsOf = (name: string, { shape }: Tensor) => linearMaps(imageTower(config, p, input(name, shape), preprocess));
  const clean = mapsOf("clean", ordinary);
  const triggered = stamped && mapsOf("triggered", stamped);
  const width = "width" in config.vision ? config.vision.width : 0;
  const byValue = new Map<Node, string[]>();
  for (const [name, x] of clean)
    if (x.shape[1] === width) byValue.set(flat(x), [...(byValue.get(flat(x)) ?? []), name]);
  return [...byValue.values()].map((maps) => {
    const x = clean.get(maps[0]) as Node;
    return { maps, rows: x.shape[0], clean: x, ...(triggered && { triggered: triggered.get(maps[0]) }) };
  });
}

/** The value whose rows these are: each map makes rows of its own of it. */
const flat = (x: Node): Node => (x.op === "Reshape" ? flat(x.inputs[0]) : x);

/** What each product by a weight [out, D] reads, rows [N, D], by the weight's name. */
function linearMaps(root: Node): ReadonlyMap<string, Node> {
  const found = new Map<string, Node>();
  for (const { op, inputs } of topological([root]))
    if (op === "Gemm" && inputs[1].op === "Input") found.set(String(inputs[1].attrs.name), inputs[0]);
  return found;
}

/** a b of matrices [m, k] and [k, n]. */
export async function product(runtime: Runtime, a: Tensor, b: Tensor): Promise<Tensor> {
  const program = await runtime.compile({ product: gemm(input("a", a.shape), input("b", b.shape)) });
  return (await program.run({ a, b })).product;
}
