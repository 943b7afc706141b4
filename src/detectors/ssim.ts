/** Structural similarity (Wang et al. 2004) as graph nodes: Gaussian windows of 11 pixels, deviation 1.5, zeros beyond the border. */
import { constant, type Node, scalar } from "../graph/node.ts";
import { add, div, linear, mul, reduceMean, reshape, scale, sub, transpose } from "../graph/ops/index.ts";

const [reach, deviation] = [5, 1.5];
const [c1, c2] = [0.01 ** 2, 0.03 ** 2];

/** Mean SSIM of two batches [n, 3, S, S] in [0, 1]. */
export function ssim(x: Node, y: Node): Node {
  const blur = gaussian(x.shape);
  const [mx, my] = [blur(x), blur(y)];
  const [mxx, myy, mxy] = [mul(mx, mx), mul(my, my), mul(mx, my)];
  const vx = sub(blur(mul(x, x)), mxx);
  const vy = sub(blur(mul(y, y)), myy);
  const vxy = sub(blur(mul(x, y)), mxy);
  const alike = mul(add(scale(mxy, 2), scalar(c1)), add(scale(vxy, 2), scalar(c2)));
  const all = mul(add(add(mxx, myy), scalar(c1)), add(add(vx, vy), scalar(c2)));
  return reduceMean(div(alike, all));
}

/** Windowed means of each pixel, along rows and then along columns; the planes come back transposed, all of them. */
function gaussian([n, channels, , S]: readonly number[]): (x: Node) => Node {
  const weights = Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-((i - reach) ** 2) / (2 * deviation ** 2)));
  const sum = weights.reduce((a, b) => a + b, 0);
  const band = new Float32Array(S * S);
  for (let i = 0; i < S; i++)
    for (let j = Math.max(0, i - reach); j <= Math.min(S - 1, i + reach); j++)
      band[i * S + j] = weights[j - i + reach] / sum;
  const matrix = constant(band, [S, S]);
  const planes = n * channels;
  const along = (x: Node) => reshape(linear(reshape(x, [planes * S, S]), matrix), [planes, S, S]);
  return (x) => along(transpose(along(x), [0, 2, 1]));
}
