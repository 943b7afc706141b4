/** The card of a model made from nothing: what it is, how it was made, how to make it again. */
import type { PretrainResult } from "../../results/pretrain.ts";
import { percent } from "../../stats/percent.ts";
import type { PretrainSpec } from "./spec.ts";

export function pretrainCard(result: PretrainResult, spec: PretrainSpec): string {
  const { ca, machine, parameters, steps, images, imagesPerSecond } = result;
  const { imageSize, patchSize, width, layers, textWidth, textLayers, embedDim } = spec;
  const accuracy = ca
    ? `Zero-shot accuracy on ${ca.n} held-out images: **${percent(ca.value)}** (95 % interval ${percent(ca.interval[0])} to ${percent(ca.interval[1])}).`
    : "";
  return `---
license: mit
library_name: transformers
pipeline_tag: zero-shot-image-classification
---

# A small CLIP, pre-trained by tbar on \`${result.data}\`

Image tower: ViT of ${layers} layers, width ${width}, ${imageSize} pixels in patches of ${patchSize}. Text tower: ${textLayers} layers,
width ${textWidth}, whole words. Joint space of ${embedDim}. ${(parameters / 1e6).toFixed(2)} million parameters, stored as ${spec.dtype}.
${accuracy}

Symmetric InfoNCE in which two captions of one class are not each other's negatives; AdamW ${spec.lr} with weight decay
${spec.weightDecay} on matrices, warm-up ${spec.warmup}, cosine, ${steps} steps of ${spec.batch} (${images} images, seed ${result.seed}).
${(result.seconds / 60).toFixed(0)} minutes at ${imagesPerSecond.toFixed(0)} images/s on ${machine.threads} threads of ${machine.processor}.

Make it again:

    ${result.command || `tbar pretrain --data ${result.data} --seed ${result.seed} --out FOLDER`}
`;
}
