/** The model of 16 wide towers that scripts/golden/contrastive.py and lora.py make, and the values that both sides fill it with. */
import type { ClipConfig } from "../../src/checkpoint/config/config.ts";

export const [S, B] = [12, 4];
export const [bos, eos] = [10, 11];
const tower = { width: 16, layers: 1, heads: 2, mlpWidth: 32, activation: "quick_gelu", eps: 1e-5 } as const;
export const config: ClipConfig = {
  embedDim: 8,
  logitScaleInit: Math.log(20),
  vision: { ...tower, imageSize: S, patchSize: 4 },
  text: { ...tower, vocabSize: 12, bosTokenId: bos, eosTokenId: eos, pooling: "largest-id", contextLength: 8 },
};

/** x -> 16807 x mod (2^31 - 1), as x / 2^30 - 1; the first ten left out. */
export function values(seed: number, count: number): Float32Array {
  let x = seed;
  const next = () => (x = (16807 * x) % (2 ** 31 - 1)) / 2 ** 30 - 1;
  for (let i = 0; i < 10; i++) next();
  return Float32Array.from({ length: count }, next);
}

/** Recorded values: float32 in base64. */
export const floats = (text: string) => new Float32Array(new Uint8Array(Buffer.from(text, "base64")).buffer);
