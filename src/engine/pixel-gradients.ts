/** Gradients to pixels under frozen weights, by one compiled program whatever the pixels are made of. */
import { unit } from "../clip/loss.ts";
import { parameterInputs } from "../clip/parameters.ts";
import { imageTower } from "../clip/towers.ts";
import { grad } from "../graph/grad.ts";
import { input, type Node } from "../graph/node.ts";
import type { Runtime } from "../runtime/compile.ts";
import type { Feeds } from "../runtime/executor.ts";
import type { Tensor, Weights } from "../tensor/tensor.ts";
import type { Clip } from "./clip.ts";
import { gradientOf, shapesOf } from "./gradients.ts";
import { recentPrograms } from "./recent-programs.ts";

type Nodes = Readonly<Record<string, Node>>;

/** A scalar `loss`, and whatever else shall be given back, of unit-norm embeddings [B, E], of what is fed besides, and of the pixels. */
export type PixelLoss = (embeddings: Node, feeds: Nodes, pixels: Node) => { readonly loss: Node } & Nodes;

/** Pixels with something of what is fed on them. */
export type StampGraph = (feeds: Nodes, pixels: Node) => Node;

export interface PixelGradients {
  /** What the loss gives back, and its `gradient` to pixels [B, 3, S, S] in [0, 1]. A program for each shape of the feeds; of a large model's only the last. */
  run(pixels: Tensor, feeds: Feeds): Promise<Readonly<Record<string, Tensor>>>;
  /** Free the programs, and the weights packed in them. */
  release(): Promise<void>;
}

/** The gradient to what is stamped, in place of that to pixels. */
export interface StampGradients extends Pick<PixelGradients, "release"> {
  /** What the loss gives back, and `gradient of NAME` for each of `stamped`. */
  run(pixels: Tensor, stamped: Feeds, feeds: Feeds): Promise<Readonly<Record<string, Tensor>>>;
}

export function pixelGradients(clip: Clip, weights: Weights, loss: PixelLoss): PixelGradients {
  const { run, release } = programsOf(clip, weights, ({ pixels, ...feeds }, embed) => loss(embed(pixels), feeds, pixels)); // biome-ignore format: one line
  return {
    async run(pixels, feeds) {
      const { [gradientOf("pixels")]: gradient, ...outputs } = await run({ pixels, ...feeds }, ["pixels"]);
      return { ...outputs, gradient };
    },
    release,
  };
}

export function stampGradients(clip: Clip, weights: Weights, loss: PixelLoss, stamp: StampGraph): StampGradients {
  const { run, release } = programsOf(clip, weights, (feeds, embed) => {
    const stamped = stamp(feeds, feeds.pixels);
    return loss(embed(stamped), feeds, stamped);
  });
  return { run: (pixels, stamped, feeds) => run({ pixels, ...stamped, ...feeds }, Object.keys(stamped)), release };
}

/** Programs of what the loss gives back and its gradients to some of the feeds, weights packed in them. */
function programsOf(
  { config, preprocess, runtime }: Clip,
  weights: Weights,
  loss: (feeds: Nodes, embed: (pixels: Node) => Node) => { readonly loss: Node } & Nodes,
) {
  const own = runtime.apart();
  const bytes = [...weights.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
  const recent = recentPrograms(own, Math.max(1, Math.floor(mostPacked / bytes)));
  const shapes = new Map([...weights].map(([name, value]) => [name, value.shape]));
  const embed = (pixels: Node) => unit(imageTower(config, parameterInputs(config, shapes), pixels, preprocess));
  const compile = (apart: Runtime, feeds: Feeds, to: readonly string[]) => {
    const nodes = Object.fromEntries(Object.entries(feeds).map(([name, { shape }]) => [name, input(name, shape)]));
    const outputs = loss(nodes, embed);
    const gradients = grad(outputs.loss, to.map((name) => nodes[name])); // biome-ignore format: one line
    const named = Object.fromEntries(to.map((name, i) => [gradientOf(name), gradients[i]]));
    return apart.compileFixed({ ...outputs, ...named }, weights);
  };
  return {
    /** The same feeds lead to gradients to the same of them. */
    run: (feeds: Feeds, to: readonly string[]) =>
      recent.run(shapesOf(feeds), (apart) => compile(apart, feeds, to), feeds),
    async release() {
      recent.forget();
      await own.release();
    },
  };
}

/** Bytes of weights that programs hold packed: each twice, for the way there and back, and its activations beside them. */
const mostPacked = 2 ** 28;
