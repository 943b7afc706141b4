/** A stranger in a valid checkpoint, at random: a tensor or an option that no model of ours has. */
import fc from "fast-check";
import { readCheckpoint } from "../../src/checkpoint/clip-folder.ts";
import { byteLength, type Dtype } from "../../src/checkpoint/formats/safetensors-header.ts";
import { TbarError } from "../../src/tensor/error.ts";
import { printable } from "../../src/tensor/printable.ts";
import { layouts, type Model, withModel } from "./layouts.ts";

export interface Stranger {
  readonly model: Model;
  /** Named as messages spell it. */
  readonly name: string;
  readonly kind: "tensor" | "option";
}

const word = fc.stringMatching(/^[a-z][a-z_0-9]{0,11}$/);
const dtype = fc.constantFrom<Dtype>("F32", "F16", "BF16", "F64", "I64", "I32", "U8", "I8", "BOOL");
const shape = fc.oneof(
  { arbitrary: fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 3 }), weight: 4 },
  { arbitrary: fc.constantFrom([64, 64], [64], [6, 64], [1], [], [0], [1, 5], [5, 5]), weight: 1 },
);

/** Names that real files have where others than ours wrote them, and kinds of buffers where they do not belong. */
const real = fc.constantFrom(
  "visual_projection.bias",
  "vision_model.embeddings.VPT",
  "vision_model.encoder.layers.0.self_attn.q_proj.lora_A.default.weight",
  "visual.transformer.resblocks.0.ls_1.gamma",
  "visual.transformer.resblocks.1.attn.head_scale",
  "transformer.resblocks.0.mlp.ln.weight",
  "visual.trunk.blocks.0.attn.qkv.weight",
  "text_decoder.ln_final.weight",
  "logit_bias2",
  "ema.visual.proj",
  "text.attn_mask2",
  "visual.positional_embedding_delta",
  "position_ids",
  "queue",
  "prompt_learner.ctx",
  "classifier.weight",
);

/** A name near one that the file has. */
const near = (names: readonly string[]) =>
  fc.tuple(fc.constantFrom(...names), word, fc.nat(20)).chain(([name, extra, layer]) =>
    fc.constantFrom(
      `${name}.${extra}`,
      `${name}_${extra}`,
      `${extra}.${name}`,
      `${extra}${name}`,
      `${name} `,
      ` ${name}`,
      name.replace(".", ". "),
      name.toUpperCase(),
      name.replace(/^./, (c) => c.toUpperCase()),
      name.replace(/\.(\d+)\./, `.${layer + 3}.`),
      name.replace(/\.(\d+)\./, ".0$1."),
      name.replace(/weight$/, "wieght").replace(/bias$/, "biases"),
      name.slice(0, -1),
      `${name}\n`,
      name.replace(/[a-z]/, "\u0430"),
    ),
  );

const strangeTensor = (model: Model): fc.Arbitrary<Stranger> => {
  const names = new Set(model.tensors.map(({ name }) => name));
  // what is known beside parameters is no stranger: its shape and values are checked in tests of their own
  const isKnown = (name: string) =>
    /(position_ids|num_batches_tracked|attn_mask|logit_bias|input_resolution|context_length|vocab_size)$/.test(name);
  return fc
    .tuple(fc.oneof(near([...names]), real, word, fc.string({ unit: "grapheme", minLength: 1 })), dtype, shape)
    .filter(([name]) => !names.has(name) && name !== "__metadata__" && !/\p{Cs}/u.test(name) && !isKnown(name))
    .map(([name, dtype, shape]) => {
      const data = () => new Uint8Array(byteLength(dtype, shape) ?? 0).fill(1);
      return { model: { ...model, tensors: [...model.tensors, { name, dtype, shape, data }] }, name, kind: "tensor" };
    });
};

/** Options of open_clip and transformers that change what is computed, with other values than the plain ones. */
const openClipOptions: readonly (readonly [string, unknown])[] = [
  ...["scale_fc", "scale_heads", "scale_attn", "scale_attn_inner", "qk_norm", "scaled_cosine_attn"].map(
    (o) => [o, true] as const,
  ),
  ...["no_ln_pre", "attentional_pool", "final_ln_after_pool", "global_average_pool", "input_patchnorm"].map(
    (o) => [o, true] as const,
  ),
  ...["embed_cls", "no_causal_mask", "proj_bias"].map((o) => [o, true] as const),
  ["ls_init_value", 0.1],
  ["act_kwargs", { approximate: "tanh" }],
  ["norm_kwargs", { eps: 1e-6 }],
  ["pos_embed_type", "sin_cos_2d"],
  ["pool_type", "avg"],
  ["block_type", "custom"],
  ["timm_model_name", "vit_base_patch16_224"],
  ["hf_model_name", "roberta-base"],
  ["hf_tokenizer_name", "bert-base-uncased"],
  ["tokenizer_kwargs", { clean: "canonicalize" }],
  ["multimodal_cfg", { width: 512 }],
  ["proj_type", "none"],
];
const hfOptions: readonly (readonly [string, unknown])[] = [
  ["hidden_act", "relu"],
  ["num_channels", 4],
  ["quantization_config", { quant_method: "bitsandbytes" }],
  ["auto_map", { AutoModel: "model.OtherCLIP" }],
  ["pruned_heads", { 0: [1] }],
  ["qkv_bias", false],
  ["rope_theta", 10000],
  ["use_head", false],
  ["vision_use_head", false],
  ["num_registers", 4],
  ["hidden_dropout_prob", 0.1],
  ["model_type", "dinov2"],
];

const strangeOption = (model: Model): fc.Arbitrary<Stranger> => {
  const [[file, json]] = Object.entries(model.json);
  const isHf = file === "config.json";
  const places = isHf
    ? [[], ["text_config"], ["vision_config"]]
    : [[], ["model_cfg"], ["model_cfg", "vision_cfg"], ["model_cfg", "text_cfg"]];
  const value = fc.oneof(
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.double(),
    fc.string(),
    fc.array(fc.integer()),
    fc.dictionary(word, fc.integer()),
  );
  const invented = fc.tuple(
    fc.constantFrom(...places),
    fc.oneof(
      word.map((text) => `x_${text}`),
      fc.string({ minLength: 1 }).map((text) => `#${text}`),
    ),
    value,
  );
  // only where the option exists does its value mean something; elsewhere its name alone is strange
  const known = fc
    .tuple(fc.constantFrom(...places), fc.constantFrom(...(isHf ? hfOptions : openClipOptions)))
    .map(([place, [name, value]]) => [place, name, value] as const);
  return fc.oneof(invented, known).map(([place, name, value]) => {
    const changed = structuredClone(json) as Record<string, unknown>;
    let into = changed;
    for (const key of place) into = into[key] as Record<string, unknown>;
    Object.defineProperty(into, name, { value, enumerable: true, configurable: true, writable: true });
    return { model: { ...model, json: { [file]: changed } }, name, kind: "option" };
  });
};

export const stranger: fc.Arbitrary<Stranger> = fc
  .constantFrom(...layouts)
  .chain((model) =>
    Object.keys(model.json).length === 0 ? strangeTensor(model) : fc.oneof(strangeTensor(model), strangeOption(model)),
  );

/** What becomes of it: refused by its name, refused for another reason, said in what was assumed, or passed over. */
export async function fate({ model, name }: Stranger): Promise<"named" | "refused" | "said" | "passed over"> {
  const spelled = JSON.stringify(printable(name, 60)).slice(1, -1);
  return withModel(model, async (path) => {
    try {
      const { assumptions, ignored } = await readCheckpoint(path);
      return [...assumptions, ...ignored].some((text) => text.includes(name)) ? "said" : "passed over";
    } catch (error) {
      if (!(error instanceof TbarError)) throw error;
      return [name, spelled, JSON.stringify(name).slice(1, -1)].some((text) => error.message.includes(text))
        ? "named"
        : "refused";
    }
  });
}
