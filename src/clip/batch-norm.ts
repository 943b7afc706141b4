/** A convolution and the batch normalisation behind it (arXiv 1502.03167), as PyTorch's BatchNorm2d computes it. */

import { type Node, scalar } from "../graph/node.ts";
import { add, conv, div, mul, reduceMean, reshape, scale, sqrt, sub } from "../graph/ops/index.ts";
import type { Params } from "./parameters.ts";

/** Told, by name, what each running statistic becomes after the batch. */
export type BatchStatistics = (name: string, value: Node) => void;

/** Running statistics: part of the weights and of their arithmetic, but nothing that a gradient changes. */
export const isStatistic = (name: string) => /\.running_(mean|var)$/.test(name);

const eps = 1e-5;
const momentum = 0.1;

interface ConvNorm {
  readonly conv: string;
  readonly norm: string;
  readonly stride?: number;
  readonly pad?: number;
}

/**
 * BN(conv(x)). In evaluation mode (no `statistics`) the norm's scale and shift are part of the kernel and its bias: no pass
 * over the image, and the same gradients. In training mode it is centred and scaled by the batch's own mean and variance.
 */
export function convNorm(x: Node, p: Params, names: ConvNorm, statistics?: BatchStatistics): Node {
  const { conv: kernelName, norm } = names;
  const kernel = p(`${kernelName}.weight`);
  const [weight, bias] = [p(`${norm}.weight`), p(`${norm}.bias`)];
  const [mean, variance] = [p(`${norm}.running_mean`), p(`${norm}.running_var`)];
  const [channels] = weight.shape;
  if (statistics === undefined) {
    const factor = div(weight, sqrt(add(variance, scalar(eps))));
    return conv(x, mul(kernel, reshape(factor, [channels, 1, 1, 1])), names, sub(bias, mul(mean, factor)));
  }
  const y = conv(x, kernel, names); // [N, C, H, W]
  const image = (values: Node) => reshape(values, [channels, 1, 1]);
  const batchMean = reduceMean(y, [0, 2, 3]);
  const centred = sub(y, image(batchMean));
  const batchVariance = reduceMean(mul(centred, centred), [0, 2, 3]);
  const count = y.shape[0] * y.shape[2] * y.shape[3];
  const follow = (running: Node, now: Node) => add(scale(running, 1 - momentum), scale(now, momentum));
  statistics(`${norm}.running_mean`, follow(mean, batchMean));
  statistics(`${norm}.running_var`, follow(variance, scale(batchVariance, count / Math.max(1, count - 1)))); // unbiased
  const factor = div(weight, sqrt(add(batchVariance, scalar(eps))));
  return add(mul(centred, image(factor)), image(bias));
}
