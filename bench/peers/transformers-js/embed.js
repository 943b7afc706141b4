/**
 * Embeddings of pictures and texts by transformers.js from a folder of tbar export, and its zero-shot answer, as JSON.
 * node embed.js FOLDER DTYPE PICTURE.png TEXT...; first: ONNXRUNTIME_NODE_INSTALL=skip npm install
 */
import { basename, dirname } from "node:path";
import {
  AutoProcessor,
  AutoTokenizer,
  CLIPModel,
  CLIPTextModelWithProjection,
  CLIPVisionModelWithProjection,
  env,
  pipeline,
  RawImage,
} from "@huggingface/transformers";

const [folder, dtype, picture, ...texts] = process.argv.slice(2);
env.allowRemoteModels = false;
env.localModelPath = dirname(folder);
const name = basename(folder);
const options = { dtype, device: "cpu" };

const tokenizer = await AutoTokenizer.from_pretrained(name);
const processor = await AutoProcessor.from_pretrained(name);
const tokens = tokenizer(texts, { padding: true, truncation: true });
const image = await processor(await RawImage.read(picture));
const rows = (tensor) => tensor.tolist();

const both = await (await CLIPModel.from_pretrained(name, options))({ ...tokens, ...image });
const text = await (await CLIPTextModelWithProjection.from_pretrained(name, options))(tokens);
const vision = await (await CLIPVisionModelWithProjection.from_pretrained(name, options))(image);
const classify = await pipeline("zero-shot-image-classification", name, options);
const [answer] = await classify(picture, texts, { hypothesis_template: "{}" });
console.log(
  JSON.stringify({
    pixels: rows(image.pixel_values),
    images: rows(both.image_embeds),
    texts: rows(both.text_embeds),
    rawImages: rows(vision.image_embeds),
    rawTexts: rows(text.text_embeds),
    answer: answer.label,
  }),
);
