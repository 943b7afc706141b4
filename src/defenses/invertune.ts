/**
 * InverTune's third step, activation tuning (arXiv 2506.12411): where a trigger changes the image tower most, its activations are pulled back to
 * those of the same images without it, while embeddings of clean images stay where they were. The authors' code knows ResNets and their four
 * stages; the port is ours: blocks of a transformer, their output averaged over images. Its first two steps recover a trigger; here that is
 * the known one, or with --unknown the scan's.
 */

import type { ClipConfig } from "../checkpoint/config/config.ts";
import { unit } from "../clip/loss.ts";
import { isVision } from "../clip/parameters.ts";
import type { Normalization } from "../clip/towers.ts";
import { imageTower } from "../clip/towers.ts";
import type { Activations } from "../engine/activations.ts";
import type { Objective } from "../engine/gradients.ts";
import { zipped } from "../engine/tasks.ts";
import { constant, type Node, scalar } from "../graph/node.ts";
import { add, div, mul, reduceMean, reduceSumSquare, scale, sqrt, sub } from "../graph/ops/index.ts";
import { badInput } from "../tensor/error.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { choosing, type Defense, learningRates } from "./defense.ts";

/** On triggers that only stand for the attack's own the largest rate that keeps the clean accuracy carries over farthest. */
const ratesOf = ({ onStandIns = false }: { readonly onStandIns?: boolean }) => (onStandIns ? [16, 64] : learningRates);

/** Blocks that are pulled back, and the weight of what keeps clean embeddings. */
const blocks = 3;
const keeping = 0.5;

export const inverTune: Defense = {
  name: "invertune",
  title: "InverTune, activation tuning",
  about:
    "pulls the activations that the trigger changes most back to those without it; its learning rate is chosen on validation",
  paper: "arXiv 2506.12411",
  needs: ["pairs", "a transformer"],
  control: true,
  carriesOver: true,
  cost(sizes) {
    const [{ forget, epochs }, { length }] = [sizes, ratesOf(sizes)];
    return { trained: 2 * length * forget * epochs, encoded: (2 + length * epochs) * forget, measured: length };
  },
  async run(input) {
    const pairs = (await input.answered?.())?.pairs;
    if (pairs === undefined) throw badInput("invertune needs the triggered images without the trigger too");
    const masks = criticalUnits(await input.activations(pairs), await input.activations(input.forget));
    const at = (lr: number) =>
      input.learn(
        input.forget,
        ({ clip, recipe }) => {
          const { batches, steps } = zipped(clip, [input.forget, pairs], recipe);
          const kept = (pixels: Tensor) => clip.encoder.images(clip.weights, pixels);
          return { objective: pullingBack(clip.config, clip.preprocess, masks, kept), batches, steps };
        },
        { lr },
      );
    return choosing(input, "lr", ratesOf(input), at, { blocks: [...masks.keys()].join(" ") });
  },
};

/** By block: 1 where an output's mean is among those that the trigger changes much, else 0, [T, w]; of the blocks that it changes most, of their size. */
export function criticalUnits(clean: Activations, marked: Activations): ReadonlyMap<number, Tensor> {
  const found = clean.outputs.map(({ shape, data }, block) => {
    const moved = data.map((v, i) => Math.abs(v - marked.outputs[block].data[i]));
    const most = splitInTwo(moved);
    return {
      block,
      impact: Math.hypot(...moved) / Math.hypot(...data),
      mask: { shape, data: moved.map((v) => Number(v > most)) },
    };
  });
  const chosen = found.sort((a, b) => b.impact - a.impact).slice(0, blocks);
  return new Map(chosen.map(({ block, mask }) => [block, mask] as const).sort(([a], [b]) => a - b));
}

/** The number between the two clusters of 2-means in one dimension, begun at both ends. */
export function splitInTwo(values: Float32Array): number {
  let [low, high] = [Math.min(...values), Math.max(...values)];
  for (let round = 0; round < 100; round++) {
    const middle = (low + high) / 2;
    const means = [values.filter((v) => v <= middle), values.filter((v) => v > middle)].map(
      (some) => some.reduce((a, b) => a + b, 0) / some.length,
    );
    if (!(means[1] > means[0])) return middle;
    if (means[0] === low && means[1] === high) break;
    [low, high] = means;
  }
  return (low + high) / 2;
}

/** Images with the trigger and, row by row, the same without it. */
export interface PairBatch {
  readonly pixels: readonly [marked: Tensor, clean: Tensor];
}

/** sum over blocks of |M (mean clean - mean marked)| / |M mean clean| + 1/2 |unit embeddings of clean images - those kept|. */
export function pullingBack(
  config: ClipConfig,
  normalization: Normalization,
  masks: ReadonlyMap<number, Tensor>,
  kept: (clean: Tensor) => Promise<Tensor>,
): Objective<PairBatch> {
  return {
    trains: isVision,
    feeds: async ({ pixels: [marked, clean] }) => ({ marked, clean, kept: await kept(clean) }),
    loss(p, feeds) {
      const through = (pixels: Node) => {
        const means = new Map<number, Node>();
        const tap = (what: string, n: number, value: Node) =>
          void (what === "output" && means.set(n, reduceMean(value, [1])));
        return { embeddings: imageTower(config, p, pixels, normalization, undefined, tap), means };
      };
      const [marked, clean] = [through(feeds.marked), through(feeds.clean)];
      const terms = [...masks].map(([n, { shape, data }]) => {
        const [mask, a, b] = [constant(data, shape), clean.means.get(n) as Node, marked.means.get(n) as Node];
        return div(length(mul(mask, sub(a, b))), length(mul(mask, a)));
      });
      return [...terms, scale(length(sub(unit(clean.embeddings), feeds.kept)), keeping)].reduce(add);
    },
  };
}

/** |x| over all values; a little more than 0 at 0, where it has no gradient. */
const length = (x: Node): Node => sqrt(add(reduceSumSquare(x), scalar(1e-12)));
