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

export interface PixelGradients {
  /** What the loss gives back, and its `gradient` to pixels [B, 3, S, S] in [0, 1]. A program for each shape of the feeds. */
  run(pixels: Tensor, feeds: Feeds): Promise<Readonly<Record<string, Tensor>>>;
  /** Free the programs, and the weights packed in them. */
  release(): Promise<void>;
}

export function pixelGradients(
  { config, preprocess, runtime }: Clip,
  weights: Weights,
  loss: PixelLoss,
): PixelGradients {
  const apart = runtime.apart();
  const shapes = new Map([...weights].map(([name, value]) => [name, value.shape]));
  const compile = ({ shape }: Tensor, feeds: Feeds) => {
    const pixels = input("pixels", shape);
    const nodes = Object.entries(feeds).map(([name, { shape }]) => [name, input(name, shape)] as const);
    const embeddings = unit(imageTower(config, parameterInputs(config, shapes), pixels, preprocess));
    const outputs = loss(embeddings, Object.fromEntries(nodes), pixels);
    return apart.compileFixed({ ...outputs, gradient: grad(outputs.loss, [pixels])[0] }, weights);
  };
  const programs = new Map<string, Promise<Program>>();
  return {
    async run(pixels, feeds) {
      const key = JSON.stringify([pixels.shape, ...Object.entries(feeds).map(([name, { shape }]) => [name, shape])]);
      const program = programs.get(key) ?? compile(pixels, feeds);
      programs.set(key, program);
      return (await program).run({ pixels, ...feeds });
    },
    async release() {
      programs.clear();
      await apart.release();
    },
  };
}
