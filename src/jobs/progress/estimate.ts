/** What a job will need, before it starts: some images are encoded to see how fast this machine is; the rest is arithmetic. */
import { statfs } from "node:fs/promises";
import { availableParallelism, freemem } from "node:os";
import { dirname, resolve } from "node:path";
import type { Checkpoint } from "../../checkpoint/clip-folder.ts";
import { parameterShapes } from "../../checkpoint/config/config.ts";
import { byteLength } from "../../checkpoint/formats/safetensors-header.ts";
import { isVision } from "../../clip/parameters.ts";
import type { Dataset } from "../../data/dataset.ts";
import { delta } from "../../detectors/forms/delta.ts";
import { candidate, inversion } from "../../detectors/invert.ts";
import type { Clip } from "../../engine/clip.ts";
import type { Recipe } from "../../engine/finetune.ts";
import { learnedValues } from "../../engine/learned-values.ts";
import { paysToPrepack } from "../../engine/scorer.ts";
import { isFolder } from "../../files/files.ts";
import { random } from "../../tensor/random.ts";
import { sizeOf, type Tensor, tensor, type Weights } from "../../tensor/tensor.ts";
import { alphas, type Part, training } from "./stages.ts";
import { flops, forward, imageFlops, stepTape, tape } from "./tower-work.ts";

export interface EstimatedPart {
  readonly what: string;
  readonly seconds: number;
  readonly range: readonly [number, number];
}

export interface Estimate {
  readonly kind: "estimate";
  readonly job: string;
  readonly seconds: number;
  /** Seconds at best and at worst: how many alphas a search takes, and how long a training step, shows only when it is done. */
  readonly range: readonly [number, number];
  readonly parts: readonly EstimatedPart[];
  /** Bytes. */
  readonly memory: { readonly needed: number; readonly free: number };
  readonly disk: readonly { readonly path: string; readonly bytes: number; readonly free: number }[];
  readonly threads: number;
  /** How it was made, and what is short. */
  readonly note: string;
}

export interface Plan {
  readonly job: string;
  readonly clip: Clip & { readonly weights: Weights };
  /** Any images of the job, to see how fast they are read and encoded. */
  readonly images: Dataset;
  /** Images at a time; as the scorer encodes them unless told. */
  readonly batch?: number;
  readonly parts: readonly Part[];
  /** How it is trained, where it is: by contrast, both towers, or a part? */
  readonly recipe?: Pick<Recipe, "batch" | "objective" | "train" | "modules" | "rank">;
  /** Does the text tower learn too? */
  readonly bothTowers?: boolean;
  /** What may run besides, and whose time is not counted; its memory is. */
  readonly without?: string;
  /** Copies of the tuned parameters held at once: weights, gradients, moments, vectors. */
  readonly copies?: number;
  /** Pixels kept between measurements, in images. */
  readonly kept?: number;
  readonly outputs?: readonly { readonly path: string | undefined; readonly bytes: number }[];
  readonly threads?: number;
}

/** Bytes that Node.js and ONNX Runtime take themselves. */
const base = 170 * 2 ** 20;
/** Pixels up to this many bytes are kept (`createScorer`). */
const mostKept = 512 * 2 ** 20;

export async function estimate(asked: Plan): Promise<Estimate> {
  const { recipe } = asked;
  const plan = recipe === undefined ? asked : { ...asked, batch: recipe.batch, bothTowers: recipe.train === "both" };
  const isOfPairs = recipe?.objective === "contrastive";
  const parts = times(plan, await probe(plan));
  const has = (what: "trained" | "gradients") => plan.parts.some((part) => part[what] !== undefined);
  const { job, outputs, threads } = plan;
  const basis = [
    `An estimate: some images were read and encoded${has("gradients") ? ", and gradients to their pixels taken," : ""} to see how fast`,
    has("trained") && "; a training step counts as three of that, 2.5 to 4.5 in the range",
    ".",
    plan.without !== undefined && ` The time is without ${plan.without}; the memory is with them.`,
    isOfPairs && ` A contrastive batch of ${plan.batch} pairs is one step and never cut: its memory is counted whole.`,
  ]
    .filter(Boolean)
    .join("");
  const advice = isOfPairs
    ? "a smaller --batch needs less, and is another loss: a pair is then told from fewer"
    : "a smaller --batch needs less";
  return estimateOf({ job, parts, memory: memoryOf(plan), outputs, threads, basis, advice });
}

export interface Needs extends Pick<Plan, "job" | "outputs" | "threads">, Pick<Estimate, "parts"> {
  /** Bytes beyond those that Node.js and ONNX Runtime take. */
  readonly memory: number;
  /** How the parts were estimated. */
  readonly basis: string;
  /** What to do where memory is short. */
  readonly advice: string;
}

/** What a job needs, beside what is there. */
export async function estimateOf({ job, parts, outputs = [], threads, ...needs }: Needs): Promise<Estimate> {
  const memory = { needed: base + needs.memory, free: freemem() };
  const disk = await Promise.all(outputs.flatMap(({ path, bytes }) => (path === undefined ? [] : room(path, bytes))));
  const full = disk.find(({ bytes, free }) => bytes > free);
  const note = [
    needs.basis,
    memory.needed > memory.free && `There is not enough free memory; ${needs.advice}.`,
    full && `There is not enough room for ${full.path}.`,
  ];
  return {
    kind: "estimate",
    job,
    seconds: parts.reduce((sum, { seconds }) => sum + seconds, 0),
    range: [0, 1].map((end) => parts.reduce((sum, { range }) => sum + range[end], 0)) as [number, number],
    parts,
    memory,
    disk,
    threads: threads ?? availableParallelism(),
    note: note.filter(Boolean).join(" "),
  };
}

/** Another process may take a part of the machine: at worst a third of it. */
const slowed = 1.5;

function times(
  { parts, clip, bothTowers }: Plan,
  { read, encode, slowest, gradient, slowestGradient, flops: rate }: Speed,
): readonly EstimatedPart[] {
  const { text } = clip.config;
  const encodeText = flops(text, text.contextLength) / rate;
  const secondsOf = (part: Part, encode: number, step: number, tried: number, toPixels: number) => {
    const { read: images = 0, encoded = 0, trained = 0, searched = 0, texts = 0, gradients = 0 } = part;
    const train = read + step * (encode + (bothTowers ? encodeText : 0));
    return (
      images * read +
      (encoded + tried * searched) * encode +
      gradients * toPixels +
      trained * train +
      texts * encodeText
    );
  };
  return parts.map((part) => ({
    what: part.what,
    seconds: secondsOf(part, encode, training.usual, alphas.usual, gradient),
    range: [
      secondsOf(part, encode, training.least, alphas.least, gradient),
      slowed * secondsOf(part, slowest, training.most, alphas.most, slowestGradient),
    ],
  }));
}

/** Copies of a training: own weights, gradients there and here, two moments. Of what does not learn there are none. */
const copiesOfLearned = 5;

function memoryOf(plan: Plan): number {
  const { clip, batch = encodedAtOnce, parts, bothTowers = false, copies = 0, kept = 0, recipe } = plan;
  const { vision, text } = clip.config;
  const shapes = [...parameterShapes(clip.config)]; // in ONNX files the weights are out of sight
  const bytesOf = (named: typeof shapes) => named.reduce((n, [, shape]) => n + 4 * sizeOf(shape), 0);
  const tuned = bytesOf(shapes.filter(([name]) => bothTowers || isVision(name)));
  const pixels = 12 * vision.imageSize ** 2;
  const trains = parts.some(({ trained }) => trained !== undefined);
  const isLess = recipe?.modules !== undefined && recipe.modules !== "all";
  const frozen = isLess ? tuned - 4 * learnedValues(clip.config, recipe) : 0;
  const step = batch * (stepTape(vision, recipe?.modules) + (bothTowers ? tape(text) : 0));
  const training = trains ? copies * tuned - copiesOfLearned * frozen + step : 0;
  const prepacked = paysToPrepack(tuned / 4, Math.max(...parts.map(({ encoded = 0 }) => encoded))) ? tuned : 0;
  const encoding = prepacked + encodedAtOnce * (forward(vision) + 2 * pixels);
  const inverting = parts.some(({ gradients }) => gradients !== undefined)
    ? batch * (tape(vision) + 3 * pixels) + 2 * tuned // packed for the way there and back
    : 0;
  return bytesOf(shapes) + Math.max(training, encoding + inverting) + Math.min(mostKept, kept * pixels);
}

async function room(path: string, bytes: number): Promise<Estimate["disk"][number]> {
  let folder = dirname(resolve(path));
  while (!(await isFolder(folder))) folder = dirname(folder);
  const { bavail, bsize } = await statfs(folder);
  return { path, bytes, free: bavail * bsize };
}

interface Speed {
  /** Seconds to read, and to encode, one image. */
  readonly read: number;
  readonly encode: number;
  /** The slowest of a few tries. */
  readonly slowest: number;
  /** A gradient to the pixels of one image, usual and slowest; 0 where none is asked for. */
  readonly gradient: number;
  readonly slowestGradient: number;
  /** Floating point operations a second. */
  readonly flops: number;
}

/** Operations of the images that are encoded to see how fast the machine is: a second or two of work. */
const probed = 1e11;

async function probe({ clip, images, parts, batch = encodedAtOnce }: Plan): Promise<Speed> {
  const work = imageFlops(clip.config);
  const count = Math.max(1, Math.min(batch, images.size, Math.floor(probed / work)));
  const indices = Array.from({ length: count }, (_, i) => i);
  await images.read([0], clip.preprocess);
  const start = performance.now();
  const pixels = await images.read(indices, clip.preprocess);
  const read = (performance.now() - start) / 1000 / count;
  const tried = async (run: () => Promise<unknown>) => {
    await run(); // compiles
    const seconds: number[] = [];
    for (let i = 0; i < 3; i++) {
      const again = performance.now();
      await run();
      seconds.push((performance.now() - again) / 1000 / count);
    }
    return seconds.sort((a, b) => a - b);
  };
  const [encode, , slowest] = await tried(() => clip.encoder.images(clip.weights, pixels));
  const flops = work / encode;
  if (parts.every(({ gradients }) => gradients === undefined))
    return { read, encode, slowest, gradient: 0, slowestGradient: 0, flops };
  const fits = stepOfFits(clip, count);
  const [gradient, , slowestGradient] = await tried(() => fits.step(pixels));
  await fits.release();
  return { read, encode, slowest, gradient, slowestGradient, flops };
}

/** A step of the screening: another trigger for each image, towards any classes. */
function stepOfFits({ weights, ...clip }: Plan["clip"], count: number) {
  const head = tensor([count, clip.config.embedDim]);
  random(0, "estimate").fillNormal(head.data);
  const engine = inversion({ clip, weights, head });
  const form = delta(clip.config.vision.imageSize, 1);
  const all = Array.from({ length: count }, (_, label) => candidate(form, label, 0, "estimate"));
  const step = (pixels: Tensor) => engine.fit(all, { pixels }, { steps: 1, each: 1, seed: 0 });
  return { step, release: engine.release };
}

/** Images of a batch of the scorer. */
const encodedAtOnce = 64;

/** What the weights take once they are written, as one safetensors file. */
export function fileBytes({ tensors }: Checkpoint): number {
  return [...tensors.values()].reduce((sum, { dtype, shape }) => sum + (byteLength(dtype, shape) ?? 0), 0);
}
