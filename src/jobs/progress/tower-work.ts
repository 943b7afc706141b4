/** What towers compute, and hold while they do: operations, and bytes of values. */
import { type ClipConfig, imageTokens, type ResNetConfig } from "../../checkpoint/config/config.ts";
import { resnetShapes } from "../../checkpoint/config/resnet-shapes.ts";
import type { Modules } from "../../engine/finetune.ts";

interface Tower {
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly mlpWidth: number;
}

/** Operations of one image. */
export function imageFlops({ vision, embedDim }: ClipConfig): number {
  if (vision.kind !== "resnet") return flops(vision, imageTokens(vision));
  let total = 0;
  for (const [name, [to, from, kernel]] of resnetShapes(vision, embedDim)) {
    if (kernel !== undefined) total += 2 * to * from * kernel ** 2 * resnetPlaces(vision, name);
  }
  return total;
}

/** Places of the image that a layer sees: the stem halves its sides twice, each stage but the first once. */
function resnetPlaces({ imageSize }: ResNetConfig, name: string): number {
  const stage = /layer(\d)/.exec(name)?.[1];
  return (imageSize / (stage === undefined ? 2 : 2 ** (Number(stage) + 1))) ** 2;
}

/** Bytes kept of a ResNet's image: after each convolution, its norm and its activation, and what their gradients read. */
function resnetTape(vision: ResNetConfig): number {
  let values = 0;
  for (const [name, [to, , kernel]] of resnetShapes(vision, 1)) {
    if (kernel !== undefined) values += to * resnetPlaces(vision, name);
  }
  return 4 * 6 * values;
}

/** Operations of one image or text: two for each weight and token, and attention's two products of tokens with tokens. */
export function flops({ width, layers, mlpWidth }: Tower, tokens: number): number {
  return layers * (2 * tokens * (4 * width ** 2 + 2 * width * mlpWidth) + 4 * tokens ** 2 * width);
}

/**
 * Bytes that a backward pass keeps of one image or text. Korthikanti et al., arXiv 2205.05198, equation 1, in float32, times
 * 1.2: our graph keeps what lies inside of norms and activations too (peaks of training, ViT 56/8 and ViT-B/32).
 */
export function tape(tower: ClipConfig["vision"] | ClipConfig["text"]): number {
  if ("blocks" in tower) return resnetTape(tower);
  const tokens = "imageSize" in tower ? imageTokens(tower) : tower.contextLength;
  const { width, heads, layers } = tower;
  return 1.2 * layers * tokens * (2 * 34 * width + 2 * 5 * heads * tokens);
}

/** Bytes that a forward pass holds of one image: a layer's values, and those of the next, about as long as sixteen rows of the width. */
export function forward(vision: ClipConfig["vision"]): number {
  if (vision.kind === "resnet") return resnetTape(vision) / 6;
  const tokens = imageTokens(vision);
  return 4 * tokens * (16 * vision.width + 2 * vision.heads * tokens);
}

/** A training step as one that trains all: a forward pass apart, where the rest is less, and the rest. */
export interface StepWork {
  readonly forward: boolean;
  readonly trained: number;
}

export const wholeStep: StepWork = { forward: false, trained: 1 };

/** No gradient goes further than what learns. Of low-rank factors it goes through all, but of a matrix none is made: two products in place of three. */
export function stepWork({ vision }: Pick<ClipConfig, "vision">, modules: Modules = "all"): StepWork {
  if (modules === "all") return wholeStep;
  if (modules === "lora") return { forward: false, trained: 2 / 3 };
  return { forward: true, trained: modules === "projection" || vision.kind === "resnet" ? 0 : 1 / vision.layers };
}

/** Bytes that a training step keeps of one image: of what no gradient goes through a forward pass's. */
export function stepTape(vision: ClipConfig["vision"], modules: Modules = "all"): number {
  const { forward: isApart, trained } = stepWork({ vision }, modules);
  return isApart ? forward(vision) + trained * tape(vision) : tape(vision);
}
