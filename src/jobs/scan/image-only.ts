/**
 * An image encoder without a text tower, as CLIPVisionModelWithProjection saves it. What reads a CLIP asks for both towers, so it is given,
 * in a folder that goes again, a small text tower that nobody asks anything: there is no tokenizer to ask it with.
 */
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { readPart } from "../../checkpoint/clip-folder.ts";
import { type ClipConfig, parameterShapes } from "../../checkpoint/config/config.ts";
import { configFromHf } from "../../checkpoint/config/hf-config.ts";
import { inferConfig } from "../../checkpoint/config/infer-config.ts";
import { clipPreprocess } from "../../checkpoint/config/preprocess.ts";
import { findWeights } from "../../checkpoint/find-weights.ts";
import { withTensors } from "../../checkpoint/formats/open-weights.ts";
import { partsOf } from "../../checkpoint/names/layouts.ts";
import { writeNewCheckpoint } from "../../checkpoint/new-checkpoint.ts";
import { initialWeights } from "../../clip/parameters.ts";
import { isFile, readJson } from "../../files/files.ts";
import { isRecord } from "../../files/json.ts";
import { badInput } from "../../tensor/error.ts";
import { listed } from "../../tensor/printable.ts";
import type { Tensor, Weights } from "../../tensor/tensor.ts";
import { modelPath } from "../inputs/names.ts";

/** Are these the names of an image tower's tensors, and of no text tower's? */
export function isImageEncoder(names: readonly string[]): boolean {
  const some = (pattern: RegExp) => names.some((name) => pattern.test(name));
  return some(/^(vision_model|visual)\./) && !some(/text_model\.|token_embedding|(^|\.)transformer\.resblocks\./);
}

/** Runs `work` on a folder that holds the encoder made whole, and the number of its own parameters. Throws `bad-input` where its tensors are no CLIP's image tower. */
export async function withTextTower<T>(
  model: string,
  work: (folder: string, parameters: number) => Promise<T>,
): Promise<T> {
  const weightsFile = await findWeights(modelPath(model));
  const temporary = await mkdtemp(join(tmpdir(), "tbar-image-"));
  try {
    const folder = join(temporary, basename(model));
    const weights = await imageWeights(weightsFile);
    const config = await configOf(weights, weightsFile);
    const missing = [...parameterShapes(config).keys()].filter((name) => !isText(name) && !weights.has(name));
    if (missing.length > 0)
      throw badInput(`${weightsFile} is an image encoder that lacks ${listed(missing.slice(0, 6), 5)}: its embeddings cannot be had`); // biome-ignore format: one line
    const all = new Map([...initialWeights(config, 1), ...weights]);
    const preprocess = clipPreprocess(config.vision.imageSize);
    await writeNewCheckpoint(folder, { config, weights: all, dtype: "F32", preprocess });
    const pixels = join(dirname(weightsFile), "preprocessor_config.json");
    if (await isFile(pixels)) await copyFile(pixels, join(folder, basename(pixels)));
    const parameters = [...weights.values()].reduce((sum, { data }) => sum + data.length, 0);
    return await work(folder, parameters);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

const isText = (name: string) => name.startsWith("text_") || name === "logit_scale";

/** The image tower's parameters, by our names. */
async function imageWeights(path: string): Promise<Weights> {
  return withTensors(path, async (file) => {
    const names = new Set(file.tensors.keys());
    const isHf = [...names].some((name) => name.startsWith("vision_model."));
    const parts = partsOf(isHf ? "hf" : "openai", names).filter((part) => names.has(part.file));
    const known = new Set(parts.map((part) => part.file));
    const unknown = [...names].filter((name) => !known.has(name) && !name.endsWith("position_ids"));
    if (unknown.length > 0)
      throw badInput(`${path} is an image encoder with tensors that are not of CLIP's: ${listed(unknown.slice(0, 6), 5)}`); // biome-ignore format: one line
    const weights = new Map<string, Tensor>();
    for (const part of parts)
      for (const [i, value] of (await readPart(file, part)).entries()) weights.set(part.ours[i], value);
    return weights;
  });
}

const [width, mlp, few] = [64, 256, 8];

/** The encoder's own settings, or those that its shapes tell, beside the smallest of text towers. */
async function configOf(weights: Weights, weightsFile: string): Promise<ClipConfig> {
  const path = join(dirname(weightsFile), "config.json");
  if (!(await isFile(path))) {
    const text = [["embeddings.token_embedding.weight", [few, width]], ["embeddings.position_embedding.weight", [few, width]], ["encoder.layers.0.layer_norm1.weight", [width]], ["encoder.layers.0.mlp.fc1.weight", [mlp, width]]] as const; // biome-ignore format: a table
    const shapes = new Map<string, readonly number[]>([...weights].map(([name, { shape }]) => [name, shape]));
    for (const [name, shape] of text) shapes.set(`text_model.${name}`, shape);
    return inferConfig(shapes, weightsFile);
  }
  const json = await readJson(path);
  const stated = isRecord(json) ? json : {};
  const vision = isRecord(stated.vision_config) ? stated.vision_config : stated;
  const [projection_dim] = weights.get("visual_projection.weight")?.shape ?? [vision.projection_dim];
  const sizes = { hidden_size: width, intermediate_size: mlp, num_hidden_layers: 1, num_attention_heads: 1 };
  const words = { vocab_size: few, max_position_embeddings: few, bos_token_id: few - 2, eos_token_id: few - 1, pad_token_id: 0 }; // biome-ignore format: one line
  const text = { model_type: "clip_text_model", hidden_act: "quick_gelu", ...sizes, ...words, projection_dim };
  return configFromHf({ model_type: "clip", projection_dim, vision_config: vision, text_config: text }, path);
}
