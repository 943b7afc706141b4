/** Gradients to pixels under frozen weights, by one compiled program whatever the pixels are made of. */
import { unit } from "../clip/loss.ts";
import { parameterInputs } from "../clip/parameters.ts";
import { imageTower } from "../clip/towers.ts";
import { grad } from "../graph/grad.ts";
import { input, type Node } from "../graph/node.ts";
import type { Feeds, Program } from "../runtime/executor.ts";
import type { Tensor, Weights } from "../tensor/tensor.ts";
import type { Clip } from "./clip.ts";

type Nodes = Readonly<Record<string, Node>>;

/** A scalar `loss`, and whatever else shall be given back, of unit-norm embeddings [B, E], of what is fed besides, and of the pixels. */
export type PixelLoss = (embeddings: Node, feeds: Nodes, pixels: Node) => { readonly loss: Node } & Nodes;

/** Pixels with something of what is fed on them. */
export type StampGraph = (feeds: Nodes, pixels: Node) => Node;

export interface PixelGradients {
  /** What the loss gives back, and its `gradient` to pixels [B, 3, S, S] in [0, 1]. A program for each shape of the feeds. */
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
  const { run, release } = gradientsOf(clip, weights, (nodes, pixels, embed) => {
    const outputs = loss(embed(pixels), nodes, pixels);
    return { ...outputs, gradient: grad(outputs.loss, [pixels])[0] };
  });
  return { run: (pixels, feeds) => run({ pixels, ...feeds }), release };
}

export function stampGradients(clip: Clip, weights: Weights, loss: PixelLoss, stamp: StampGraph): StampGradients {
  let names: readonly string[] = [];
  const { run, release } = gradientsOf(clip, weights, (nodes, pixels, embed) => {
    const stamped = stamp(nodes, pixels);
    const outputs = loss(embed(stamped), nodes, stamped);
    const gradients = grad(outputs.loss, names.map((name) => nodes[name])); // biome-ignore format: one line
    return { ...outputs, ...Object.fromEntries(names.map((name, i) => [gradientOf(name), gradients[i]])) };
  });
  return {
    run(pixels, stamped, feeds) {
      names = Object.keys(stamped);
      return run({ pixels, ...stamped, ...feeds });
    },
    release,
  };
}
export const gradientOf = (name: string) => `gradient of ${name}`;

/** A program for each shape of the feeds, weights packed in it. */
function gradientsOf(
  { config, preprocess, runtime }: Clip,
  weights: Weights,
  outputs: (feeds: Nodes, pixels: Node, embed: (pixels: Node) => Node) => Nodes,
) {
  const apart = runtime.apart();
  const shapes = new Map([...weights].map(([name, value]) => [name, value.shape]));
  const embed = (pixels: Node) => unit(imageTower(config, parameterInputs(config, shapes), pixels, preprocess));
  const programs = new Map<string, Promise<Program>>();
  return {
    async run(feeds: Feeds) {
      const key = JSON.stringify(Object.entries(feeds).map(([name, { shape }]) => [name, shape]));
      const compile = () => {
        const nodes = Object.fromEntries(Object.entries(feeds).map(([name, { shape }]) => [name, input(name, shape)]));
        return apart.compileFixed(outputs(nodes, nodes.pixels, embed), weights);
      };
      const program = programs.get(key) ?? compile();
      programs.set(key, program);
      return (await program).run(feeds);
    },
    async release() {
      programs.clear();
      await apart.release();
    },
  };
}
