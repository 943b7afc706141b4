/**
 * The two ways CLIP files name their tensors. Our parameter names are Hugging Face's (`hf`); OpenAI and open_clip (`openai`)
 * fuse q, k and v into one tensor and store the two projections transposed. A ResNet exists in theirs only, and keeps it.
 * Tables: openai/CLIP clip/model.py, transformers convert_clip_original_pytorch_to_hf.py.
 */
import { badInput } from "../../tensor/error.ts";
import { printable } from "../../tensor/printable.ts";
import { resnetShapes } from "../config/resnet-shapes.ts";
import type { Part } from "./parts.ts";

export type Layout = "hf" | "openai";

/** Ours, theirs. */
const TOP = [
  ["logit_scale", "logit_scale"],
  ["vision_model.embeddings.class_embedding", "visual.class_embedding"],
  ["vision_model.embeddings.patch_embedding.weight", "visual.conv1.weight"],
  ["vision_model.embeddings.position_embedding.weight", "visual.positional_embedding"],
  ["vision_model.pre_layrnorm.weight", "visual.ln_pre.weight"],
  ["vision_model.pre_layrnorm.bias", "visual.ln_pre.bias"],
  ["vision_model.post_layernorm.weight", "visual.ln_post.weight"],
  ["vision_model.post_layernorm.bias", "visual.ln_post.bias"],
  ["visual_projection.weight", "visual.proj"],
  ["text_model.embeddings.token_embedding.weight", "token_embedding.weight"],
  ["text_model.embeddings.position_embedding.weight", "positional_embedding"],
  ["text_model.final_layer_norm.weight", "ln_final.weight"],
  ["text_model.final_layer_norm.bias", "ln_final.bias"],
  ["text_projection.weight", "text_projection"],
] as const;

const isVision = (name: string) => name.startsWith("vis");

const both = (name: string) => [`${name}weight`, `${name}bias`];

/** What SigLIP has beside its blocks, by the names in both. */
const SIGLIP: readonly string[] = [
  "logit_scale",
  "logit_bias",
  ...both("vision_model.embeddings.patch_embedding."),
  "vision_model.embeddings.position_embedding.weight",
  ...both("vision_model.post_layernorm."),
  "vision_model.head.probe",
  ...["attention.in_proj_", "attention.out_proj.", "layernorm.", "mlp.fc1.", "mlp.fc2."].flatMap((part) =>
    both(`vision_model.head.${part}`),
  ),
  "text_model.embeddings.token_embedding.weight",
  "text_model.embeddings.position_embedding.weight",
  ...both("text_model.final_layer_norm."),
  ...both("text_model.head."),
];

/** Within one block of either tower, each with a weight and a bias. */
const BLOCK = [
  [["layer_norm1."], "ln_1."],
  [["self_attn.q_proj.", "self_attn.k_proj.", "self_attn.v_proj."], "attn.in_proj_"],
  [["self_attn.out_proj."], "attn.out_proj."],
  [["layer_norm2."], "ln_2."],
  [["mlp.fc1."], "mlp.c_fc."],
  [["mlp.fc2."], "mlp.c_proj."],
] as const;

const TOWERS = [
  ["vision_model.encoder.layers.", "visual.transformer.resblocks."],
  ["text_model.encoder.layers.", "transformer.resblocks."],
] as const;

/**
 * Which layout these tensor names are in, prefixes taken off; throws `bad-input` naming the architecture, or what else the file is, when it is
 * none that we can use.
 */
export function detectLayout(names: ReadonlySet<string>, file: string): Layout {
  const all = [...names];
  const count = counter(names);
  const advice = "give a CLIP with a vision transformer or a ResNet, or Hugging Face's SigLIP";
  const [hf, openai] = [count(HF_NAME), count(OPENAI_NAME)];
  if (all.length > 0 && 2 * count(ADAPTER) > all.length) {
    throw badInput(
      `${file} is a LoRA adapter, which changes a model that is not in it; merge it into its base first ` +
        "(PEFT's merge_and_unload) and give the whole model",
    );
  }
  if (count(/^visual\.trunk\./) > openai / 2)
    throw badInput(`${file} has a timm image tower, not supported; ${advice}`);
  if (count(/^text_decoder\./) > openai / 4) throw badInput(`${file} is a CoCa model, not supported; ${advice}`);
  if (hf === 0 && openai === 0) {
    const shown = all.slice(0, 3).map((name) => printable(name, 80));
    throw badInput(`${file} is no CLIP model: its tensors are named ${shown.join(", ") || "nothing"}; ${advice}`);
  }
  const layout = hf > openai ? "hf" : "openai";
  refuseLoneTower(names, layout, file);
  return layout;
}

/** How many of the names match a pattern. */
const counter = (names: Iterable<string>) => {
  const all = [...names];
  return (pattern: RegExp) => all.filter((name) => pattern.test(name)).length;
};

const HF_NAME = /^(vision|text)_model\./;
const OPENAI_NAME = /^(visual|(text\.)?(transformer\.resblocks|token_embedding|ln_final))\./;
const ADAPTER = /lora_|\.(loha|lokr|hada|ia3|oft|boft)_/;

/** An image tower without a text tower, or the other way round: an encoder that somebody trained or cut out. */
function refuseLoneTower(names: ReadonlySet<string>, layout: Layout, file: string): void {
  const [image, text] =
    layout === "hf"
      ? [/^vision_model\./, /^text_model\./]
      : [/^visual\./, /^(text\.)?(transformer\.|token_embedding\.|ln_final\.|positional_embedding$)/];
  const some = (pattern: RegExp) => [...names].some((name) => pattern.test(name));
  const [seesImages, readsTexts] = [some(image), some(text)];
  if (seesImages && readsTexts) return;
  const [has, lacks] = seesImages ? ["image", "text"] : ["text", "image"];
  throw badInput(
    `${file} is an ${has} encoder alone`.replace("an text", "a text") +
      `: it has no ${lacks} tower, without which there are no classes to tell. Put it back into its CLIP ` +
      "(load_state_dict into the whole model, save that) and give the whole model",
  );
}

/**
 * The tensors a file in this layout should have for the layers that its names show. In the openai layout those of the text tower may begin
 * with `text.` (open_clip's CustomTextCLIP).
 */
export function partsOf(layout: Layout, names: ReadonlySet<string>): Part[] {
  return layout === "hf" ? hfParts(names) : openaiParts(names);
}

const same = (file: string, ours = file): Part => ({ file, ours: [ours], form: "same" });

function hfParts(names: ReadonlySet<string>): Part[] {
  const siglip = names.has("logit_bias") && names.has("vision_model.head.probe");
  const ours: string[] = siglip ? [...SIGLIP] : TOP.map(([name]) => name);
  for (const [tower] of TOWERS) {
    const layers = layersOf(names, tower, OUR_BLOCK);
    for (let layer = 0; layer < layers; layer++) {
      for (const [parts] of BLOCK) for (const part of parts) ours.push(...both(`${tower}${layer}.${part}`));
    }
  }
  return ours.map((name) => same(name));
}

function openaiParts(names: ReadonlySet<string>): Part[] {
  const count = counter(names);
  const isCustom = count(/^text\./) > count(/^(transformer\.|token_embedding\.|positional_embedding$|ln_final\.)/);
  const isText = (name: string) => name !== "logit_scale" && !name.startsWith("visual.");
  const spelled = (name: string) => (isCustom && isText(name) ? `text.${name}` : name);
  const isResNet = count(/^visual\.layer[1-4]\./) > count(/^visual\.transformer\./);
  const parts: Part[] = TOP.filter(([ours]) => !(isResNet && isVision(ours))).map(([ours, theirs]) => ({
    file: spelled(theirs),
    ours: [ours],
    form: /^(visual|text)_projection/.test(ours) ? "transposed" : "same",
  }));
  if (isResNet) {
    const blocks = [1, 2, 3, 4].map((stage) => layersOf(names, `visual.layer${stage}.`, RESNET_BLOCK));
    // names do not depend on sizes
    for (const name of resnetShapes({ imageSize: 32, width: 2, blocks }, 1).keys())
      parts.push(same(spelled(name), name));
  }
  for (const [tower, theirs] of TOWERS) {
    const prefix = spelled(theirs);
    const layers = layersOf(names, prefix, THEIR_BLOCK);
    for (let layer = 0; layer < layers; layer++) {
      for (const [ours, name] of BLOCK) {
        for (const end of ["weight", "bias"]) {
          parts.push({
            file: `${prefix}${layer}.${name}${end}`,
            ours: ours.map((part) => `${tower}${layer}.${part}${end}`),
            form: ours.length > 1 ? "stacked" : "same",
          });
        }
      }
    }
  }
  return parts;
}

const endings = (parts: readonly string[]) =>
  new RegExp(`^(${parts.map((part) => part.replaceAll(".", "\\.")).join("|")})(weight|bias)$`);
const OUR_BLOCK = endings(BLOCK.flatMap(([ours]) => [...ours]));
const THEIR_BLOCK = endings(BLOCK.map(([, theirs]) => theirs));
const RESNET_BLOCK = /^(conv[123]|bn[123]|downsample\.[01])\.(weight|bias|running_mean|running_var)$/;

/** One more than the largest layer number behind this prefix and before a known part; numbers of four digits are nobody's layers. */
function layersOf(names: Iterable<string>, prefix: string, part: RegExp): number {
  let layers = 0;
  for (const name of names) {
    const number = name.startsWith(prefix) ? /^(0|[1-9]\d{0,2})\./.exec(name.slice(prefix.length)) : null;
    if (number === null || !part.test(name.slice(prefix.length + number[0].length))) continue;
    layers = Math.max(layers, Number(number[1]) + 1);
  }
  return layers;
}
