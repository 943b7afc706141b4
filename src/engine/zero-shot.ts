/** Zero-shot classification: class names through prompt templates become a head; images are classified by it. */
import { inner } from "../arithmetic/task-vector.ts";
import { badInput } from "../tensor/error.ts";
import type { Tensor, Weights } from "../tensor/tensor.ts";
import { concatRows, type Encoder } from "./encoder.ts";

/**
 * Head [C, E] of class directions: encode all filled templates of a class, normalise each, average, normalise, multiply by
 * exp(logit scale) (gortizji/tangent_task_arithmetic src/heads.py). A template has `{}` where the class name goes. Throws `bad-input`
 * on a logit scale that no float can hold, and the signal's reason on abort.
 */
export async function zeroShotHead(
  encoder: Encoder,
  weights: Weights,
  classNames: readonly string[],
  templates: readonly string[],
  signal?: AbortSignal,
): Promise<Tensor> {
  const prompts = classNames.flatMap((name) => templates.map((template) => template.replaceAll("{}", name)));
  const parts: Tensor[] = [];
  for (let at = 0; at < prompts.length; at += promptsAtOnce) {
    signal?.throwIfAborted();
    parts.push(await encoder.texts(weights, prompts.slice(at, at + promptsAtOnce)));
  }
  const { shape, data } = concatRows(parts);
  const width = shape[1];
  const logScale = weights.get("logit_scale")?.data[0] ?? Math.log(100);
  const scale = Math.exp(logScale);
  // beyond it the logits of all classes round to zero or overflow, and the first class would win
  if (!(scale > 1e-30 && scale < 1e30))
    throw badInput(`the model's logit_scale is ${logScale}: its exponential, ${scale}, is no factor to compute with`);
  const head = new Float32Array(classNames.length * width);
  classNames.forEach((_, c) => {
    const row = head.subarray(c * width, (c + 1) * width);
    for (let t = 0; t < templates.length; t++) {
      const from = (c * templates.length + t) * width;
      for (let e = 0; e < width; e++) row[e] += data[from + e];
    }
    const norm = Math.hypot(...row);
    for (let e = 0; e < width; e++) row[e] *= scale / norm;
  });
  return { shape: [classNames.length, width], data: head };
}

/** A multiple of the encoder's batch of texts. */
const promptsAtOnce = 256;

/** The class with the largest logit for each embedding [B, E] under a head [C, E]. */
export function classify(embeddings: Tensor, head: Tensor): Int32Array {
  const [rows, width] = embeddings.shape;
  const [classes] = head.shape;
  const found = new Int32Array(rows);
  const row = ({ data }: Tensor, i: number) => data.subarray(i * width, (i + 1) * width);
  for (let i = 0; i < rows; i++) {
    const image = row(embeddings, i);
    let best = Number.NEGATIVE_INFINITY;
    for (let c = 0; c < classes; c++) {
      const logit = inner(image, row(head, c));
      if (logit > best) {
        best = logit;
        found[i] = c;
      }
    }
  }
  return found;
}
