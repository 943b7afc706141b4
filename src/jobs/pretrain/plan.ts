/** What training both towers from nothing will take. */
import { parameterShapes } from "../../checkpoint/config/config.ts";
import { clipPreprocess } from "../../checkpoint/config/preprocess.ts";
import { DTYPE_BITS } from "../../checkpoint/formats/safetensors-header.ts";
import { initialWeights } from "../../clip/parameters.ts";
import { createClip } from "../../engine/clip.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import type { Context } from "../context.ts";
import { promptsOf } from "../inputs/source.ts";
import { type Estimate, estimate } from "../progress/estimate.ts";
import { configOf, openPretrain, stateOf } from "./run.ts";
import type { PretrainSpec } from "./spec.ts";

/** Words of a vocabulary that is not known before all captions are read. */
const wordsGuessed = 5000;

export async function planPretrain(spec: PretrainSpec, context: Context): Promise<Estimate> {
  const { out = "clip", steps, batch, seed, dtype, threads } = spec;
  const { source, test } = await openPretrain(spec, context);
  const vocabSize = (source.vocabulary?.length ?? wordsGuessed) + 3;
  const config = configOf(spec, { vocabSize, bos: vocabSize - 2, eos: vocabSize - 1 });
  const preprocess = clipPreprocess(config.vision.imageSize);
  const bare = createClip({ config, preprocess, tokenize: () => [], runtime: await context.runtime() });
  const parameters = [...parameterShapes(config).values()].reduce((n, shape) => n + sizeOf(shape), 0);
  return estimate({
    job: "pretrain",
    clip: { ...bare, weights: initialWeights(config, seed) },
    images: test,
    batch,
    threads,
    bothTowers: true,
    parts: [
      { what: "pre-train", trained: steps * batch },
      { what: "measure", read: test.size, encoded: test.size, texts: promptsOf(source) },
    ],
    copies: 5, // own weights, gradients there and here, two moments
    kept: test.size,
    outputs: [
      { path: out, bytes: (parameters * DTYPE_BITS[dtype]) / 8 },
      { path: stateOf(spec, out), bytes: 3 * 4 * parameters },
    ],
  });
}
