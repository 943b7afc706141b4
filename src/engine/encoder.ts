/** The two towers as functions of weights: one compiled program per batch shape serves every checkpoint and every alpha. */
import type { ClipConfig } from "../checkpoint/config.ts";
import { unit } from "../clip/loss.ts";
import { type Params, parameterInputs } from "../clip/parameters.ts";
import type { Tokenize } from "../clip/tokenizer.ts";
import { type TokenBatch, tokenBatch } from "../clip/tokens.ts";
import { imageTower, type Normalization, textTower } from "../clip/towers.ts";
import { widened } from "../clip/widened.ts";
import { input } from "../graph/node.ts";
import type { Outputs } from "../onnx/emit.ts";
import type { Runtime } from "../runtime/compile.ts";
import type { Program } from "../runtime/executor.ts";
import type { Tensor, Weights } from "../tensor/tensor.ts";

export interface Encoder {
  /** Unit-norm image embeddings [B, E] of pixels [B, 3, S, S] in [0, 1]. */
  images(weights: Weights, pixels: Tensor): Promise<Tensor>;
  /** Unit-norm text embeddings [N, E]. */
  texts(weights: Weights, texts: readonly string[]): Promise<Tensor>;
  /**
   * Many images are to come for these very weights: hold them in a program of their own, which is faster, in place of those held
   * before. Batches of another shape than the first, and other weights, go the usual way.
   */
  hold(weights: Weights): Promise<void>;
  /** Free what is compiled and held; what is asked for again is compiled again. */
  release(): Promise<void>;
}

export function createEncoder(
  runtime: Runtime,
  config: ClipConfig,
  normalization: Normalization,
  tokenize: Tokenize,
): Encoder {
  const own = runtime.apart();
  const recent = recentPrograms(own, 3);
  let held: Held | undefined;
  const images = (p: Params, shape: readonly number[]) => ({
    embeddings: unit(imageTower(config, p, input("pixels", shape), normalization)),
  });
  const holding = (weights: Weights, shape: readonly number[]) => {
    const wide = widened(weights);
    const shapes = new Map([...wide].map(([name, value]) => [name, value.shape]));
    return (held as Held).runtime.compileFixed(images(parameterInputs(config, shapes), shape), wide);
  };
  const imageProgram = (shape: readonly number[], weights: Weights) => {
    if (held?.weights === weights && `${(held.shape ??= shape)}` === `${shape}`)
      return (held.program ??= holding(weights, shape));
    return recent.get(`images ${shape}`, () => images(parameterInputs(config), shape));
  };
  const textProgram = ({ tokens, ends }: TokenBatch) =>
    recent.get(`texts ${tokens.shape}`, () => {
      const inputs = {
        tokens: input("tokens", tokens.shape, "int"),
        ends: input("ends", ends.shape, "int"),
        endRows: input("endRows", ends.shape, "int"),
      };
      return { embeddings: unit(textTower(config, parameterInputs(config), inputs)) };
    });
  return {
    async images(weights, pixels) {
      const program = await imageProgram(pixels.shape, weights);
      const { embeddings } = await program.run({ ...Object.fromEntries(weights), pixels });
      return embeddings;
    },
    async texts(weights, texts) {
      const parts: Tensor[] = [];
      for (let at = 0; at < texts.length; at += textsPerRun) {
        const some = texts.slice(at, at + textsPerRun);
        const filled = [...some, ...Array<string>(textsPerRun - some.length).fill(some[0])];
        const batch = tokenBatch(filled.map(tokenize), config.text);
        const program = await textProgram(batch);
        const { embeddings } = await program.run({ ...Object.fromEntries(weights), ...batch });
        parts.push({
          shape: [some.length, config.embedDim],
          data: embeddings.data.slice(0, some.length * config.embedDim),
        });
      }
      return concatRows(parts);
    },
    async hold(weights) {
      if (held?.weights === weights) return;
      await held?.runtime.release();
      held = { weights, runtime: own.apart() };
    },
    async release() {
      held = undefined;
      recent.forget();
      await own.release();
    },
  };
}

/** Programs by key. Each keeps memory of its own: the one longest unused is freed where there would be more than `most`. */
function recentPrograms(runtime: Runtime, most: number) {
  const kept = new Map<string, { readonly runtime: Runtime; readonly program: Promise<Program> }>();
  return {
    async get(key: string, outputs: () => Outputs): Promise<Program> {
      const known = kept.get(key);
      kept.delete(key); // set again, it is the youngest
      const own = known?.runtime ?? runtime.apart();
      const one = known ?? { runtime: own, program: own.compile(outputs()) };
      kept.set(key, one);
      const [[oldest, old]] = kept;
      if (kept.size > most) {
        kept.delete(oldest);
        await old.runtime.release();
      }
      return one.program;
    },
    forget: () => kept.clear(),
  };
}

interface Held {
  readonly weights: Weights;
  readonly runtime: Runtime;
  /** Of the first batch. */
  shape?: readonly number[];
  program?: Promise<Program>;
}

/** A short last run is filled up with its first text, so that one program per length does for all. */
const textsPerRun = 64;

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
