/** Texts as the text tower reads them: ids between start and end, time first, as long as the batch needs and no longer. */

import type { TextConfig } from "../checkpoint/config/config.ts";
import { badInput } from "../tensor/error.ts";
import { type IntTensor, intTensor } from "../tensor/tensor.ts";

export interface TokenBatch {
  /** [L, B]. */
  readonly tokens: IntTensor;
  /** [B]. */
  readonly ends: IntTensor;
  /** [B]. */
  readonly endRows: IntTensor;
}

/**
 * Rows of ids (start and end included, padded or not) as one batch. L is the longest text rounded up to a multiple of 8,
 * at most the context length; ids after a text's end are dropped, which changes nothing: the mask is causal. SigLIP, which has
 * no mask, needs rows of the whole context length.
 */
export function tokenBatch(rows: readonly ArrayLike<number>[], text: TextConfig): TokenBatch {
  const ends = rows.map((ids) => endOf(ids, text));
  const length = Math.min(text.contextLength, Math.ceil((Math.max(...ends) + 1) / 8) * 8);
  const batch = rows.length;
  const tokens = new Int32Array(length * batch);
  rows.forEach((ids, b) => {
    for (let t = 0; t <= ends[b]; t++) tokens[t * batch + b] = ids[t];
  });
  const endRows = ends.map((end, b) => end * batch + b);
  return {
    tokens: intTensor([length, batch], tokens),
    ends: intTensor([batch], ends),
    endRows: intTensor([batch], endRows),
  };
}

/** The pooled position, by the rule of config.ts. */
function endOf(ids: ArrayLike<number>, { pooling, eosTokenId, contextLength, vocabSize }: TextConfig): number {
  const row = Array.from(ids);
  const bad = row.find((id) => !(id >= 0 && id < vocabSize));
  if (bad !== undefined) throw badInput(`token id ${bad} is outside the vocabulary of ${vocabSize}`);
  if (pooling === "last") {
    if (row.length === contextLength) return contextLength - 1;
    throw badInput(`a text has ${row.length} tokens; this model reads texts padded to ${contextLength}`);
  }
  const end = pooling === "first-eos" ? row.indexOf(eosTokenId as number) : row.indexOf(Math.max(...row));
  if (end < 0) throw badInput(`a text has no end token (id ${eosTokenId})`);
  if (end >= contextLength) throw badInput(`a text of ${end + 1} tokens exceeds the context length ${contextLength}`);
  return end;
}
