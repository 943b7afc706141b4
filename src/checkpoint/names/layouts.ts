/**
 * The two ways CLIP files name their tensors. Our parameter names are Hugging Face's (`hf`); OpenAI and open_clip (`openai`)
 * fuse q, k and v into one tensor and store the two projections transposed. A ResNet exists in theirs only, and keeps it.
 * Tables: openai/CLIP clip/model.py, transformers convert_clip_original_pytorch_to_hf.py.
 */
import { badInput } from "../../tensor/error.ts";
import { printable } from "../../tensor/printable.ts";
import { sizeOf, type Tensor } from "../../tensor/tensor.ts";
import { resnetShapes } from "../config/resnet-shapes.ts";

export type Layout = "hf" | "openai";

/**
 * `stacked`: several tensors of one shape, one after the other along the first axis. `scalar`: one value, of shape [] where the other has
 * [1] (open_clip's nonscalar_logit_scale, OpenAI's code of early 2021).
 */
type Form = "same" | "transposed" | "stacked" | "scalar";

/** One tensor of a file, and the parameters of ours that it holds. */
export interface Part {
  readonly file: string;
  readonly ours: readonly string[];
  readonly form: Form;
}

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

/** What SigLIP has beside its blocks, by the names in both. */
const SIGLIP = [
  "logit_scale",
  "logit_bias",
  "vision_model.embeddings.patch_embedding.weight",
  "vision_model.embeddings.patch_embedding.bias",
  "vision_model.embeddings.position_embedding.weight",
  "vision_model.post_layernorm.weight",
  "vision_model.post_layernorm.bias",
  "vision_model.head.probe",
  ...["attention.in_proj_", "attention.out_proj.", "layernorm.", "mlp.fc1.", "mlp.fc2."].flatMap((part) =>
    ["weight", "bias"].map((end) => `vision_model.head.${part}${end}`),
  ),
  "text_model.embeddings.token_embedding.weight",
  "text_model.embeddings.position_embedding.weight",
  "text_model.final_layer_norm.weight",
  "text_model.final_layer_norm.bias",
  "text_model.head.weight",
  "text_model.head.bias",
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
  const count = (pattern: RegExp) => all.reduce((n, name) => n + (pattern.test(name) ? 1 : 0), 0);
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
  const all = [...names];
  const count = (pattern: RegExp) => all.reduce((n, name) => n + (pattern.test(name) ? 1 : 0), 0);
  if (layout === "hf") {
    const siglip = names.has("logit_bias") && names.has("vision_model.head.probe");
    const ours: string[] = siglip ? [...SIGLIP] : TOP.map(([name]) => name);
    for (const [tower] of TOWERS) {
      const layers = layersOf(all, tower, OUR_BLOCK);
      for (let layer = 0; layer < layers; layer++) {
        for (const [parts] of BLOCK) {
          for (const part of parts) ours.push(`${tower}${layer}.${part}weight`, `${tower}${layer}.${part}bias`);
        }
      }
    }
    return ours.map((name) => ({ file: name, ours: [name], form: "same" }));
  }
  const isCustom = count(/^text\./) > count(/^(transformer\.|token_embedding\.|positional_embedding$|ln_final\.)/);
  const spelled = (name: string) =>
    `${!isCustom || name === "logit_scale" || name.startsWith("visual.") ? "" : "text."}${name}`;
  const isResNet = count(/^visual\.layer[1-4]\./) > count(/^visual\.transformer\./);
  const parts: Part[] = TOP.filter(([ours]) => !(isResNet && isVision(ours))).map(([ours, theirs]) => ({
    file: spelled(theirs),
    ours: [ours],
    form: /^(visual|text)_projection/.test(ours) ? "transposed" : "same",
  }));
  if (isResNet) {
    const stages = [1, 2, 3, 4].map((stage) => layersOf(all, `visual.layer${stage}.`, RESNET_BLOCK));
    // names do not depend on sizes
    for (const name of resnetShapes({ imageSize: 32, width: 2, blocks: stages }, 1).keys()) {
      parts.push({ file: spelled(name), ours: [name], form: "same" });
    }
  }
  for (const [tower, theirs] of TOWERS) {
    const prefix = spelled(theirs);
    const layers = layersOf(all, prefix, THEIR_BLOCK);
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
function layersOf(names: readonly string[], prefix: string, part: RegExp): number {
  let layers = 0;
  for (const name of names) {
    const number = name.startsWith(prefix) ? /^(0|[1-9]\d{0,2})\./.exec(name.slice(prefix.length)) : null;
    if (number === null || !part.test(name.slice(prefix.length + number[0].length))) continue;
    layers = Math.max(layers, Number(number[1]) + 1);
  }
  return layers;
}

/** The logit scale and bias where the file's [1] is our [], or the other way round. */
export function withScalars(
  parts: readonly Part[],
  shapes: ReadonlyMap<string, { readonly shape: readonly number[] }>,
): Part[] {
  const siglip = parts.some(({ file }) => file.endsWith("logit_bias"));
  return parts.map((part) => {
    if (!/^logit_(scale|bias)$/.test(part.ours[0])) return part;
    const shape = shapes.get(part.file)?.shape;
    const isOther = shape !== undefined && (siglip ? shape.length === 0 : shape.length === 1 && shape[0] === 1);
    return isOther ? { ...part, form: "scalar" } : part;
  });
}

/** The shape in the file, from the shape that each of ours has. */
export function fileShape({ form }: Part, ours: readonly (readonly number[])[]): readonly number[] {
  const [first] = ours;
  if (form === "transposed") return [first[1], first[0]];
  if (form === "scalar") return otherScalar(first);
  return form === "stacked" ? [first[0] * ours.length, ...first.slice(1)] : first;
}

/** The shape of each of ours, from the shape in the file; undefined where that cannot be divided so. */
export function ourShape({ form, ours }: Part, shape: readonly number[]): readonly number[] | undefined {
  if (form === "transposed") return shape.length === 2 ? [shape[1], shape[0]] : undefined;
  if (form === "scalar") return otherScalar(shape);
  if (form === "stacked") return shape[0] % ours.length === 0 ? [shape[0] / ours.length, ...shape.slice(1)] : undefined;
  return shape;
}

/** Ours, in the order of `part.ours`, from the file's tensor. The values are copies where the form is not `same`. */
export function takeApart(part: Part, tensor: Tensor): Tensor[] {
  if (part.form === "same") return [tensor];
  if (part.form === "transposed") return [transpose(tensor)];
  if (part.form === "scalar") return [{ ...tensor, shape: otherScalar(tensor.shape) }];
  const shape = [tensor.shape[0] / part.ours.length, ...tensor.shape.slice(1)];
  const size = sizeOf(shape);
  return part.ours.map((_, i) => ({ shape, data: tensor.data.slice(i * size, (i + 1) * size) }));
}

/** The file's tensor from ours: the inverse of `takeApart`. */
export function putTogether(part: Part, ours: readonly Tensor[]): Tensor {
  const [first] = ours;
  if (part.form === "same") return first;
  if (part.form === "transposed") return transpose(first);
  if (part.form === "scalar") return { ...first, shape: otherScalar(first.shape) };
  const shape = fileShape(
    part,
    ours.map((tensor) => tensor.shape),
  );
  const data = new Float32Array(sizeOf(shape));
  for (const [i, tensor] of ours.entries()) data.set(tensor.data, i * first.data.length);
  return { shape, data };
}

/** [1] for [] and [] for [1]. */
const otherScalar = (shape: readonly number[]): readonly number[] => (shape.length === 0 ? [1] : []);

function transpose({ shape: [rows, columns], data }: Tensor): Tensor {
  const out = new Float32Array(data.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) out[j * rows + i] = data[i * columns + j];
  }
  return { shape: [columns, rows], data: out };
}
