/** A CLIP so small that whole jobs run on it in a second: untrained, the world's vocabulary, 16 x 16 pixels. */
import type { ClipConfig } from "../src/checkpoint/config/config.ts";
import { clipPreprocess } from "../src/checkpoint/config/preprocess.ts";
import { writeNewCheckpoint } from "../src/checkpoint/new-checkpoint.ts";
import { initialWeights } from "../src/clip/parameters.ts";
import { wordTokenizer } from "../src/clip/tokenizer.ts";
import { vocabulary } from "../src/world/captions.ts";

export async function writePico(folder: string, seed = 1): Promise<void> {
  const { json, vocabSize, bos, eos } = wordTokenizer(vocabulary);
  const tower = { width: 16, layers: 1, heads: 2, mlpWidth: 32, activation: "quick_gelu", eps: 1e-5 } as const;
  const ids = { vocabSize, bosTokenId: bos, eosTokenId: eos, pooling: "largest-id" } as const;
  const config: ClipConfig = {
    embedDim: 16,
    logitScaleInit: Math.log(20),
    vision: { ...tower, imageSize: 16, patchSize: 8 },
    text: { ...tower, ...ids, contextLength: 16 },
  };
  await writeNewCheckpoint(folder, {
    config,
    weights: initialWeights(config, seed),
    dtype: "F32",
    preprocess: clipPreprocess(16),
    tokenizerJson: json,
  });
}
