/** What the golden tests share: a model's forward pass, loss and every gradient in one program, and how close is close. */
import { expect } from "vitest";
import type { ClipConfig } from "../../src/checkpoint/config/config.ts";
import { pairLogits, pairLoss, unit } from "../../src/clip/loss.ts";
import { parameterInputs } from "../../src/clip/parameters.ts";
import { tokenBatch } from "../../src/clip/tokens.ts";
import { imageTower, type Normalization, textTower } from "../../src/clip/towers.ts";
import { grad } from "../../src/graph/grad.ts";
import { input } from "../../src/graph/node.ts";
import type { Runtime } from "../../src/runtime/compile.ts";
import type { IntTensor, Tensor, Weights } from "../../src/tensor/tensor.ts";

export interface ContrastiveValues {
  readonly image_embeds_raw: Tensor;
  readonly text_embeds_raw: Tensor;
  readonly image_embeds: Tensor;
  readonly text_embeds: Tensor;
  readonly logits_per_image: Tensor;
  readonly loss: Tensor;
  readonly pixelGradient: Tensor;
  /** Of every parameter. */
  readonly gradients: Weights;
}

/** Run CLIP or SigLIP on pixels [B, 3, S, S] and the token rows [B, T], padded as in the file. */
export async function contrastiveValues(
  runtime: Runtime,
  { config, weights }: { config: ClipConfig; weights: Weights },
  { pixels, tokens, normalization }: { pixels: Tensor; tokens: IntTensor; normalization: Normalization },
): Promise<ContrastiveValues> {
  const [rows, context] = tokens.shape;
  const text = tokenBatch(
    Array.from({ length: rows }, (_, i) => tokens.data.subarray(i * context, (i + 1) * context)),
    config.text,
  );
  const p = parameterInputs(config);
  const x = input("pixels", pixels.shape);
  const images = imageTower(config, p, x, normalization);
  const texts = textTower(config, p, {
    tokens: input("tokens", text.tokens.shape, "int"),
    ends: input("ends", text.ends.shape, "int"),
    endRows: input("endRows", text.endRows.shape, "int"),
  });
  const loss = pairLoss(config, p, images, texts);
  const names = [...weights.keys()];
  const [pixelGradient, ...gradients] = grad(loss, [x, ...names.map(p)]);
  const forward = {
    image_embeds_raw: images,
    text_embeds_raw: texts,
    image_embeds: unit(images),
    text_embeds: unit(texts),
    logits_per_image: pairLogits(config, p, images, texts),
    loss,
    pixelGradient,
  };
  const program = await runtime.compile({
    ...forward,
    ...Object.fromEntries(names.map((name, i) => [`gradient of ${name}`, gradients[i]])),
  });
  const got = await program.run({ ...Object.fromEntries(weights), ...text, pixels });
  return {
    ...(got as Record<keyof typeof forward, Tensor>),
    gradients: new Map(names.map((name) => [name, got[`gradient of ${name}`]])),
  };
}

/** max |a - b| / max |b|; 0 where both are zero. */
export function difference(got: ArrayLike<number>, want: ArrayLike<number>, name: string): number {
  expect(got.length, name).toBe(want.length);
  let most = 0;
  let largest = 0;
  for (let i = 0; i < want.length; i++) {
    most = Math.max(most, Math.abs(got[i] - want[i])); // NaN stays
    largest = Math.max(largest, Math.abs(want[i]));
  }
  return most === 0 ? 0 : most / largest;
}

/** The key part of an attention's input bias moves all scores of a row alike: its gradient is zero but for rounding. */
export function withoutKey(bias: Float32Array): Float32Array {
  const width = bias.length / 3;
  return bias.filter((_, i) => i < width || i >= 2 * width);
}
