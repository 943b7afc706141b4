/** What a job will need, before it starts: one batch is encoded to see how fast this machine is; the rest is arithmetic. */
import { statfs } from "node:fs/promises";
import { availableParallelism, freemem } from "node:os";
import { dirname, resolve } from "node:path";
import { type ClipConfig, imageTokens } from "../checkpoint/config.ts";
import { isVision } from "../clip/parameters.ts";
import type { Dataset } from "../data/dataset.ts";
import type { Clip } from "../engine/clip.ts";
import type { Weights } from "../tensor/tensor.ts";

export interface Estimate {
  readonly kind: "estimate";
  readonly job: string;
  readonly seconds: number;
  readonly parts: readonly { readonly what: string; readonly seconds: number }[];
  /** Bytes. */
  readonly memory: { readonly needed: number; readonly free: number };
  readonly disk: readonly { readonly path: string; readonly bytes: number; readonly free: number }[];
  readonly threads: number;
  /** How it was reckoned, and what is short. */
  readonly note: string;
}

/** One part of a job's work. */
export interface Part {
  readonly what: string;
  /** Images read (or drawn), encoded and trained on. */
  readonly read?: number;
  readonly encoded?: number;
  readonly trained?: number;
  /** Texts encoded; texts trained on come with their images. */
  readonly texts?: number;
}

export interface Plan {
  readonly job: string;
  readonly clip: Clip;
  readonly weights: Weights;
  /** Any images of the job, to see how fast they are read and encoded. */
  readonly images: Dataset;
  readonly batch: number;
  readonly parts: readonly Part[];
  /** Does the text tower learn too? */
  readonly bothTowers?: boolean;
  /** Copies of the tuned parameters held at once: weights, gradients, moments, vectors. */
  readonly copies: number;
  /** Pixels kept between measurements, in images. */
  readonly kept: number;
  readonly outputs: readonly { readonly path: string | undefined; readonly bytes: number }[];
  readonly threads?: number;
}

/** Bytes that Node.js and ONNX Runtime take themselves. */
const base = 200 * 2 ** 20;
/** Pixels up to this many bytes are kept (`createScorer`). */
const mostKept = 512 * 2 ** 20;

export async function estimate(plan: Plan): Promise<Estimate> {
  const { job, clip, weights, images, batch, bothTowers = false, copies } = plan;
  const { config } = clip;
  const speed = await probe(plan);
  const text = flops(config.text, config.text.contextLength) / speed.flops;
  const trained = 3 * (speed.encode + (bothTowers ? text : 0)); // backward is twice the forward
  const parts = plan.parts.map(({ what, read = 0, encoded = 0, trained: steps = 0, texts = 0 }) => ({
    what,
    seconds: (read + steps) * speed.read + encoded * speed.encode + steps * trained + texts * text,
  }));

  const tuned = [...weights].filter(([name]) => bothTowers || isVision(name));
  const tunedBytes = 4 * tuned.reduce((n, [, { data }]) => n + data.length, 0);
  const allBytes = 4 * [...weights.values()].reduce((n, { data }) => n + data.length, 0);
  const trains = plan.parts.some((part) => part.trained !== undefined);
  const activations = trains ? batch * (tape(config.vision) + (bothTowers ? tape(config.text) : 0)) : 0;
  const pixels = Math.min(mostKept, plan.kept * 12 * config.vision.imageSize ** 2);
  const needed = base + allBytes + copies * tunedBytes + activations + pixels;
  const free = freemem();

  const disk = [];
  for (const { path, bytes } of plan.outputs) {
    if (path === undefined) continue;
    const { bavail, bsize } = await statfs(dirname(resolve(path)));
    disk.push({ path, bytes, free: bavail * bsize });
  }
  await clip.runtime.release();
  const full = disk.find(({ bytes, free }) => bytes > free);
  return {
    kind: "estimate",
    job,
    seconds: parts.reduce((sum, { seconds }) => sum + seconds, 0),
    parts,
    memory: { needed, free },
    disk,
    threads: plan.threads ?? availableParallelism(),
    note: [
      `An estimate: ${images.name} was read and encoded for one batch, a training step counted as three of these.`,
      needed > free ? "There is not enough free memory; a smaller --batch needs less." : "",
      full === undefined ? "" : `There is not enough room for ${full.path}.`,
    ]
      .filter(Boolean)
      .join(" "),
  };
}

/** Seconds to read and to encode one image, and floating point operations a second, from one batch after a first one. */
async function probe({ clip, weights, images, batch }: Plan) {
  const { imageSize } = clip.config.vision;
  const indices = Array.from({ length: Math.min(batch, images.size) }, (_, i) => i);
  await images.read([0], imageSize);
  const start = performance.now();
  const pixels = await images.read(indices, imageSize);
  const read = (performance.now() - start) / 1000 / indices.length;
  await clip.encoder.images(weights, pixels); // compiles
  const again = performance.now();
  await clip.encoder.images(weights, pixels);
  const encode = (performance.now() - again) / 1000 / indices.length;
  return { read, encode, flops: flops(clip.config.vision, imageTokens(clip.config.vision)) / encode };
}

interface Tower {
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly mlpWidth: number;
}

/** Operations of one image or text: two for each weight and token, and attention's two products of tokens with tokens. */
function flops({ width, layers, mlpWidth }: Tower, tokens: number): number {
  return layers * (2 * tokens * (4 * width ** 2 + 2 * width * mlpWidth) + 4 * tokens ** 2 * width);
}

/** Bytes that a backward pass keeps of one image or text: Korthikanti et al., arXiv 2205.05198, equation 1, in float32. */
function tape(tower: ClipConfig["vision"] | ClipConfig["text"]): number {
  const tokens = "imageSize" in tower ? imageTokens(tower) : tower.contextLength;
  const { width, heads, layers } = tower;
  return layers * tokens * (2 * 34 * width + 2 * 5 * heads * tokens);
}
