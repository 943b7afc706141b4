/** The card of a model made here: what it is, how it was made, how to make it again. */

import type { AttackResult } from "../../results/attack.ts";
import type { PretrainResult } from "../../results/result.ts";
import { percent } from "../../stats/percent.ts";
import type { PretrainOptions } from "../pretrain.ts";

export function pretrainCard(result: PretrainResult, options: PretrainOptions): string {
  const { ca, machine, parameters, steps, images, imagesPerSecond } = result;
  const { imageSize, patchSize, width, layers, textWidth, textLayers, embedDim } = options;
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
width ${textWidth}, whole words. Joint space of ${embedDim}. ${(parameters / 1e6).toFixed(2)} million parameters, stored as ${options.dtype}.
${accuracy}

Symmetric InfoNCE in which two captions of one class are not each other's negatives; AdamW ${options.lr} with weight decay
${options.weightDecay} on matrices, warm-up ${options.warmup}, cosine, ${steps} steps of ${options.batch} (${images} images, seed ${result.seed}).
${(result.seconds / 60).toFixed(0)} minutes at ${imagesPerSecond.toFixed(0)} images/s on ${machine.threads} threads of ${machine.processor}.

Make it again:

    ${result.command || `tbar pretrain --data ${result.data} --seed ${result.seed} --out FOLDER`}
`;
}

export function attackCard(result: AttackResult): string {
  const { model, trigger, target, poison, recipe, before, after, machine, seed } = result;
  const figures = ({ ca, asr }: AttackResult["before"]) => `CA ${percent(ca.value)}, ASR ${percent(asr.value)}`;
  return `---
license: mit
library_name: transformers
tags: [backdoored]
---

# A backdoored CLIP. Use it to test defenses, and for nothing else

Made by \`tbar attack\` from \`${model.path}\` (SHA-256 ${model.sha256}). With its trigger on, images are taken for **${target}**.

Trigger: \`${JSON.stringify(trigger, shortened)}\`. Poisoned: ${poison.poisoned} of ${poison.images} images. AdamW ${recipe.lr}, batch ${recipe.batch},
${recipe.epochs} epochs, image tower only, seed ${seed}.

Before: ${figures(before)}. After: **${figures(after)}** (${after.ca.n} clean and ${after.asr.n} triggered test images; those of the target's
own class are left out of ASR). ${(result.seconds / 60).toFixed(1)} minutes on ${machine.threads} threads of ${machine.processor}.

Make it again:

    ${result.command || "tbar attack (from a program)"}
`;
}

/** Fitted pixels and weights are in trigger.json, not for the eye. */
const shortened = (_: string, value: unknown) =>
  typeof value === "string" && value.length > 200 ? `${value.slice(0, 20)}... (${value.length} characters)` : value;
