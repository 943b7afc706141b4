/**
 * The two ways CLIP files name their tensors. Our parameter names are Hugging Face's (`hf`); OpenAI and open_clip (`openai`)
 * fuse q, k and v into one tensor and store the two projections transposed. A ResNet exists in theirs only, and keeps it.
 * Tables: openai/CLIP clip/model.py, transformers convert_clip_original_pytorch_to_hf.py.
 */
import { badInput } from "../tensor/error.ts";
import { sizeOf, type Tensor } from "../tensor/tensor.ts";
import { resnetShapes } from "./resnet-shapes.ts";

export type Layout = "hf" | "openai";

/** `stacked`: several tensors of one shape, one after the other along the first axis. */
type Form = "same" | "transposed" | "stacked";

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

/** Which layout these tensor names are in; throws `bad-input` naming the architecture when it is one we cannot use. */
export function detectLayout(names: ReadonlySet<string>, file: string): Layout {
  const some = (pattern: RegExp) => [...names].some((name) => pattern.test(name));
  const advice = "give a CLIP with a vision transformer or a ResNet, or Hugging Face's SigLIP";
  if (some(/^(module\.)?visual\.trunk\./)) throw badInput(`${file} has a timm image tower, not supported; ${advice}`);
  if (some(/^(module\.)?text_decoder\./)) throw badInput(`${file} is a CoCa model, not supported; ${advice}`);
  if (some(/^(vision|text)_model\./)) return "hf";
  if (some(/^(module\.)?(visual\.conv1|(text\.)?transformer\.resblocks)\./)) return "openai";
  const shown = [...names].slice(0, 3).join(", ");
  throw badInput(`${file} is no CLIP model: its tensors are named ${shown || "nothing"}; ${advice}`);
}

/**
 * The tensors a file in this layout should have for the layers that its names show. In the openai layout, names may begin
 * with `module.` (saved from DataParallel) and those of the text tower with `text.` (open_clip's CustomTextCLIP).
 */
export function partsOf(layout: Layout, names: ReadonlySet<string>): Part[] {
  const all = [...names];
  if (layout === "hf") {
    const ours: string[] = names.has("logit_bias") ? [...SIGLIP] : TOP.map(([name]) => name);
    for (const [tower] of TOWERS) {
      for (let layer = 0; layer < layersOf(all, tower); layer++) {
        for (const [parts] of BLOCK) {
          for (const part of parts) ours.push(`${tower}${layer}.${part}weight`, `${tower}${layer}.${part}bias`);
        }
      }
    }
    return ours.map((name) => ({ file: name, ours: [name], form: "same" }));
  }
  const module = all.some((name) => name.startsWith("module.visual.")) ? "module." : "";
  const text = all.some((name) => name.startsWith(`${module}text.transformer.`)) ? "text." : "";
  const spelled = (name: string) =>
    `${module}${name === "logit_scale" || name.startsWith("visual.") ? "" : text}${name}`;
  const stages = [1, 2, 3, 4].map((stage) => layersOf(all, `${module}visual.layer${stage}.`));
  const isResNet = stages.some((blocks) => blocks > 0);
  const parts: Part[] = TOP.filter(([ours]) => !(isResNet && isVision(ours))).map(([ours, theirs]) => ({
    file: spelled(theirs),
    ours: [ours],
    form: /^(visual|text)_projection/.test(ours) ? "transposed" : "same",
  }));
  if (isResNet) {
    // names do not depend on sizes
    for (const name of resnetShapes({ imageSize: 32, width: 2, blocks: stages }, 1).keys()) {
      parts.push({ file: spelled(name), ours: [name], form: "same" });
    }
  }
  for (const [tower, theirs] of TOWERS) {
    const prefix = spelled(theirs);
    for (let layer = 0; layer < layersOf(all, prefix); layer++) {
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

/** One more than the largest layer number behind this prefix; numbers of four digits are nobody's layers. */
function layersOf(names: readonly string[], prefix: string): number {
  let layers = 0;
  for (const name of names) {
    const number = name.startsWith(prefix) ? /^\d{1,3}(?=\.)/.exec(name.slice(prefix.length)) : null;
    if (number !== null) layers = Math.max(layers, Number(number[0]) + 1);
  }
  return layers;
}

/** The shape in the file, from the shape that each of ours has. */
export function fileShape({ form }: Part, ours: readonly (readonly number[])[]): readonly number[] {
  const [first] = ours;
  if (form === "transposed") return [first[1], first[0]];
  return form === "stacked" ? [first[0] * ours.length, ...first.slice(1)] : first;
}

/** The shape of each of ours, from the shape in the file; undefined where that cannot be divided so. */
export function ourShape({ form, ours }: Part, shape: readonly number[]): readonly number[] | undefined {
  if (form === "transposed") return shape.length === 2 ? [shape[1], shape[0]] : undefined;
  if (form === "stacked") return shape[0] % ours.length === 0 ? [shape[0] / ours.length, ...shape.slice(1)] : undefined;
  return shape;
}

/** Ours, in the order of `part.ours`, from the file's tensor. The values are copies where the form is not `same`. */
export function takeApart(part: Part, tensor: Tensor): Tensor[] {
  if (part.form === "same") return [tensor];
  if (part.form === "transposed") return [transpose(tensor)];
  const shape = [tensor.shape[0] / part.ours.length, ...tensor.shape.slice(1)];
  const size = sizeOf(shape);
  return part.ours.map((_, i) => ({ shape, data: tensor.data.slice(i * size, (i + 1) * size) }));
}

/** The file's tensor from ours: the inverse of `takeApart`. */
export function putTogether(part: Part, ours: readonly Tensor[]): Tensor {
  const [first] = ours;
  if (part.form === "same") return first;
  if (part.form === "transposed") return transpose(first);
  const shape = fileShape(
    part,
    ours.map((tensor) => tensor.shape),
  );
  const data = new Float32Array(sizeOf(shape));
  for (const [i, tensor] of ours.entries()) data.set(tensor.data, i * first.data.length);
  return { shape, data };
}

function transpose({ shape: [rows, columns], data }: Tensor): Tensor {
  const out = new Float32Array(data.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) out[j * rows + i] = data[i * columns + j];
  }
  return { shape: [columns, rows], data: out };
}
