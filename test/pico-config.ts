/** The smallest CLIP with heads of 64, as a file without a config takes them. */
import type { ClipConfig } from "../src/checkpoint/config/config.ts";

export const picoConfig = {
  embedDim: 6,
  vision: {
    imageSize: 8,
    patchSize: 4,
    width: 64,
    layers: 2,
    heads: 1,
    mlpWidth: 10,
    activation: "quick_gelu",
    eps: 1e-5,
  },
  text: {
    contextLength: 5,
    vocabSize: 11,
    width: 64,
    layers: 1,
    heads: 1,
    mlpWidth: 12,
    activation: "quick_gelu",
    eps: 1e-5,
    pooling: "largest-id",
  },
  logitScaleInit: Math.log(1 / 0.07),
} satisfies ClipConfig;
