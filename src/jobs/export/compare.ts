/** What an exported file answers, beside our own engine. */
import type { Checkpoint } from "../../checkpoint/clip-folder.ts";
import type { TextConfig } from "../../checkpoint/config/config.ts";
import { createClip } from "../../engine/clip.ts";
import { onnxEncoder } from "../../engine/onnx-clip.ts";
import type { Runtime } from "../../runtime/compile.ts";
import { random } from "../../tensor/random.ts";
import { type Tensor, tensor } from "../../tensor/tensor.ts";
import type { Variant } from "./files.ts";

/** Runs a file on random pictures and texts, beside our engine. */
export async function comparison({ config, preprocess, weights: read }: Checkpoint, runtime: Runtime) {
  const engine = runtime.apart();
  const tokenize = (text: string) => randomIds(config.text, text);
  const weights = await read();
  const { imageSize } = config.vision;
  const pixels = tensor([2, 3, imageSize, imageSize]);
  random(1, "export").fillUniform(pixels.data);
  const texts = ["one", "two", "three"];
  const { encoder } = createClip({ config, preprocess, tokenize, runtime: engine });
  const images = await encoder.images(weights, pixels);
  const lines = await encoder.texts(weights, texts);
  await engine.release();

  return async (file: string, { name }: Variant): Promise<number> => {
    const other = runtime.apart();
    const program = await other.open(file);
    const found = onnxEncoder({ config, preprocess }, { image: program, text: program }, tokenize, {
      image: file,
      text: file,
    });
    const deviations = [
      ...(name === "text" ? [] : [deviation(await found.images(weights, pixels), images)]),
      ...(name === "image" ? [] : [deviation(await found.texts(weights, texts), lines)]),
    ];
    await other.release();
    return Math.max(...deviations);
  };
}

/** Ids of a made-up text, ended as the model's own are. */
function randomIds({ vocabSize, contextLength, pooling, eosTokenId }: TextConfig, seed: string): number[] {
  const rng = random(1, "export", seed);
  const end = pooling === "first-eos" ? (eosTokenId ?? 0) : vocabSize - 1;
  const length = pooling === "last" ? contextLength : 2 + rng.int(contextLength - 2);
  const ids = Array.from({ length }, () => rng.int(vocabSize - 1));
  return [...ids.slice(1).map((id) => (id === end ? 0 : id)), end];
}

function deviation(a: Tensor, b: Tensor): number {
  const largest = b.data.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  return a.data.reduce((most, v, i) => Math.max(most, Math.abs(v - b.data[i])), 0) / largest;
}
