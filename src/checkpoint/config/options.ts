/**
 * What a config may say besides what we compute. An option that is on no list may change the arithmetic: it is refused by name, so that no
 * figure is that of another model.
 */
import { isDeepStrictEqual } from "node:util";
import { badInput } from "../../tensor/error.ts";
import { quote } from "../formats/header-json.ts";

/** An option may have any value where it has no effect on embeddings; else one of these, the usual one first, which mean what we compute. */
type Allowed = "any" | readonly unknown[];
export type KnownOptions = Readonly<Record<string, Allowed>>;

const all = (value: Allowed) => {
  return (...names: readonly string[]): KnownOptions => Object.fromEntries(names.map((name) => [name, value]));
};
const [any, off, none] = [all("any"), all([false, null]), all([null])];

/**
 * Throws `bad-input` for the first option of an object that is neither computed nor known, or has a value that is not computed.
 * `where` is named. What is no object is left to the schema.
 */
export function checkOptions(
  given: unknown,
  { computed, known }: { readonly computed: readonly string[]; readonly known: KnownOptions },
  where: string,
): void {
  if (typeof given !== "object" || given === null) return;
  for (const [option, value] of Object.entries(given)) {
    if (computed.includes(option)) continue;
    const allowed = Object.hasOwn(known, option) ? known[option] : undefined;
    if (allowed === undefined) {
      throw badInput(
        `${where}: the option ${quote(option)} is not known, and may change what the model computes; ` +
          "where it does not, take it out of the file",
      );
    }
    if (allowed === "any" || allowed.some((one) => isDeepStrictEqual(one, value))) continue;
    throw badInput(`${where}: ${option} ${shown(value)} is not supported, only ${JSON.stringify(allowed[0])} is`);
  }
}

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 80)}...` : text;
}

/** What transformers' PretrainedConfig writes into every config.json, of versions 4 and 5. */
const PRETRAINED: KnownOptions = {
  ...any("_name_or_path", "_commit_hash", "transformers_version", "architectures", "torch_dtype", "dtype"),
  ...any("_attn_implementation", "_attn_implementation_autoset", "_attn_implementation_internal"),
  ...any("attn_implementation", "gradient_checkpointing", "use_cache", "return_dict", "return_dict_in_generate"),
  ...any("output_attentions", "output_hidden_states", "output_scores", "torchscript", "use_bfloat16"),
  ...any("chunk_size_feed_forward", "tf_legacy_loss", "tie_encoder_decoder", "tie_word_embeddings"),
  ...any("is_composition", "is_decoder", "is_encoder_decoder", "add_cross_attention", "cross_attention_hidden_size"),
  ...any("id2label", "label2id", "num_labels", "problem_type", "finetuning_task", "task_specific_params"),
  // of tokenizers and generation, which neither tower does
  ...any("tokenizer_class", "prefix", "bos_token_id", "eos_token_id", "pad_token_id", "sep_token_id"),
  ...any("decoder_start_token_id", "forced_bos_token_id", "forced_eos_token_id", "bad_words_ids", "suppress_tokens"),
  ...any("begin_suppress_tokens", "diversity_penalty", "do_sample", "early_stopping", "encoder_no_repeat_ngram_size"),
  ...any("exponential_decay_length_penalty", "length_penalty", "max_length", "min_length", "no_repeat_ngram_size"),
  ...any("num_beam_groups", "num_beams", "num_return_sequences", "remove_invalid_values", "repetition_penalty"),
  ...any("temperature", "top_k", "top_p", "typical_p"),
  // of training
  ...any("initializer_factor", "initializer_range", "attention_dropout", "dropout"),
  pruned_heads: [{}, null],
  quantization_config: [null],
  auto_map: [null, {}],
};

export const HF_TOP: KnownOptions = PRETRAINED;
const tower = (...types: readonly string[]): KnownOptions => ({ ...PRETRAINED, model_type: types });
/** A tower's own `projection_dim` counts in models of one tower alone. */
export const HF_CLIP_TEXT: KnownOptions = { ...tower("clip_text_model", "clip"), ...any("projection_dim") };
export const HF_CLIP_VISION: KnownOptions = { ...tower("clip_vision_model", "clip"), ...any("projection_dim") };
export const HF_SIGLIP_TEXT: KnownOptions = tower("siglip_text_model", "siglip");
export const HF_SIGLIP_VISION: KnownOptions = tower("siglip_vision_model", "siglip");

/** Options of open_clip's blocks, with the values that mean the plain block. */
const BLOCK: KnownOptions = {
  ...none("ls_init_value"),
  act_kwargs: [null, {}],
  norm_kwargs: [null, {}],
  block_type: [null, "default"],
  ...off("qk_norm", "scaled_cosine_attn", "scale_heads", "scale_attn_inner", "scale_attn", "scale_fc"),
  ...off("final_ln_after_pool"),
  ...any("output_tokens"),
};

export const OPEN_CLIP_VISION: KnownOptions = {
  ...BLOCK,
  ...off("attentional_pool", "no_ln_pre", "global_average_pool", "input_patchnorm"),
  pos_embed_type: ["learnable", null],
  pool_type: ["tok", null],
  ...none("timm_model_name"),
  // without effect while those before say no, or when nothing is trained
  ...any("attn_pooler_queries", "attn_pooler_heads", "patch_dropout", "timm_model_pretrained", "timm_pool"),
  ...any("timm_proj", "timm_proj_bias", "timm_drop", "timm_drop_path"),
};

export const OPEN_CLIP_TEXT: KnownOptions = {
  ...BLOCK,
  ...none("hf_model_name", "hf_tokenizer_name", "tokenizer_mode"),
  ...off("embed_cls", "no_causal_mask", "proj_bias"),
  tokenizer_kwargs: [null, {}],
  pool_type: ["argmax", null],
  proj_type: ["linear", null],
  ...any("pad_id", "eos_id", "hf_model_pretrained", "hf_proj_type", "hf_pooler_type"),
};

/** `custom_text` names tensors, `init_logit_bias` adds the same to every logit. */
export const OPEN_CLIP_MODEL: KnownOptions = {
  ...none("multimodal_cfg"),
  ...any("custom_text", "init_logit_bias", "nonscalar_logit_scale", "cast_dtype", "output_dict"),
};
