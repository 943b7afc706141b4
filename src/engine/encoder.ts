/** The two towers as functions of weights: one compiled program per batch shape serves every checkpoint and every alpha. */
import { allFinite } from "../checkpoint/checks.ts";
import type { ClipConfig } from "../checkpoint/config/config.ts";
import { unit } from "../clip/loss.ts";
import { type Params, parameterInputs } from "../clip/parameters.ts";
import type { Tokenize } from "../clip/tokenizer.ts";
import { type TokenBatch, tokenBatch } from "../clip/tokens.ts";
import { imageTower, type Normalization, textTower } from "../clip/towers.ts";
import { widened } from "../clip/widened.ts";
import { input } from "../graph/node.ts";
import type { Runtime } from "../runtime/compile.ts";
import { badInput } from "../tensor/error.ts";
import type { Tensor, Weights } from "../tensor/tensor.ts";
import { recentPrograms } from "./recent-programs.ts";

export interface Encoder {
  /** Unit-norm image embeddings [B, E] of pixels [B, 3, S, S] in [0, 1]. */
  images(weights: Weights, pixels: Tensor): Promise<Tensor>;
  /** Unit-norm text embeddings [N, E]. */
  texts(weights: Weights, texts: readonly string[]): Promise<Tensor>;
  /**
   * Many images are to come for these very weights: they are prepacked as constants of a program of their own, which is faster, in place of those
   * before. Batches of another shape than the first, and other weights, go the usual way.
   */
  prepack(weights: Weights): Promise<void>;
  /** Free what is compiled and prepacked; what is asked for again is compiled again. */
  release(): Promise<void>;
}

export function createEncoder(
  runtime: Runtime,
  config: ClipConfig,
  normalization: Normalization,
  tokenize: Tokenize,
): Encoder {
  const own = runtime.apart();
  const recent = recentPrograms(own, 4); // one that is prepacked, one batch size, the last batches of two data sets
  let packed: Prepacked | undefined;
  let count = 0;
  const images = (p: Params, shape: readonly number[]) => ({
    embeddings: unit(imageTower(config, p, input("pixels", shape), normalization)),
  });
  const compilePrepacked = (apart: Runtime, weights: Weights, shape: readonly number[]) => {
    const wide = widened(weights);
    const shapes = new Map([...wide].map(([name, value]) => [name, value.shape]));
    return apart.compileFixed(images(parameterInputs(config, shapes), shape), wide);
  };
  const textGraph = ({ tokens, ends }: TokenBatch) => {
    const inputs = {
      tokens: input("tokens", tokens.shape, "int"),
      ends: input("ends", ends.shape, "int"),
      endRows: input("endRows", ends.shape, "int"),
    };
    return { embeddings: unit(textTower(config, parameterInputs(config), inputs)) };
  };
  return {
    async images(weights, pixels) {
      const { shape } = pixels;
      const now = packed;
      const { embeddings } =
        now?.weights === weights && `${(now.shape ??= shape)}` === `${shape}`
          ? await recent.run(now.key, (apart) => compilePrepacked(apart, weights, shape), { pixels })
          : await recent.run(`images ${shape}`, (apart) => apart.compile(images(parameterInputs(config), shape)), {
              ...Object.fromEntries(weights),
              pixels,
            });
      return finite(embeddings, "images");
    },
    async texts(weights, texts) {
      const parts: Tensor[] = [];
      for (let at = 0; at < texts.length; at += textsPerRun) {
        const some = texts.slice(at, at + textsPerRun);
        const filled = [...some, ...Array<string>(textsPerRun - some.length).fill(some[0])];
        const batch = tokenBatch(filled.map(tokenize), config.text);
        const feeds = { ...Object.fromEntries(weights), ...batch };
        const key = `texts ${batch.tokens.shape}`;
        const { embeddings } = await recent.run(key, (apart) => apart.compile(textGraph(batch)), feeds);
        parts.push({
          shape: [some.length, config.embedDim],
          data: embeddings.data.slice(0, some.length * config.embedDim),
        });
      }
      return finite(concatRows(parts), "texts");
    },
    async prepack(weights) {
      if (packed?.weights === weights) return;
      const before = packed?.key;
      packed = { weights, key: `prepacked ${++count}` };
      if (before !== undefined) await recent.free(before);
    },
    async release() {
      packed = undefined;
      recent.forget();
      await own.release();
    },
  };
}

interface Prepacked {
  readonly weights: Weights;
  readonly key: string;
  /** Of the first batch. */
  shape?: readonly number[];
}

/** A short last run is filled up with its first text, so that one program per length does for all. */
const textsPerRun = 64;

/**
 * The same embeddings. Throws `bad-input` when some are no finite numbers: finite weights can overflow on the way, and NaN is less than
 * every logit, so that each such image would count as the first class.
 */
export function finite(embeddings: Tensor, of: string): Tensor {
  if (allFinite(embeddings.data)) return embeddings;
  throw badInput(
    `the model's embeddings of ${of} are no finite numbers: its weights are damaged, or too large to compute with, and nothing measured on it would mean anything`,
  );
}

/** Matrices of equal width, one below the other. */
export function concatRows(parts: readonly Tensor[]): Tensor {
  const width = parts[0].shape[1];
  const rows = parts.reduce((n, part) => n + part.shape[0], 0);
  const data = new Float32Array(rows * width);
  let at = 0;
  for (const part of parts) {
    data.set(part.data, at);
    at += part.data.length;
  }
  return { shape: [rows, width], data };
}
