/** Of several repairs the best, as validation images have it. */
import type { Search } from "./alpha-search.ts";

/**
 * Of several repairs the one that validation prefers: satisfied first, then those that are not risky, then what the rule asks for where it is
 * another thing than CA, then the higher CA, then the lower ASR; where each goes as far as CA allows (rule agreement), the one that goes
 * farthest beyond the alpha that did away with the trigger.
 */
export function bestRepair<R extends { readonly search: Search }>(repairs: readonly R[]): R {
  return repairs.reduce((a, b) => (isBetter(b.search, a.search) ? b : a));
}

function isBetter(a: Search, b: Search): boolean {
  if (a.satisfied !== b.satisfied) return a.satisfied;
  if (!a.satisfied) return a.best.asr.value < b.best.asr.value;
  if (a.isRisky !== b.isRisky) return b.isRisky === true;
  if (a.margin !== undefined && b.margin !== undefined && a.margin !== b.margin) return a.margin > b.margin;
  if (a.margin !== undefined && a.best.asr.value !== b.best.asr.value) return a.best.asr.value < b.best.asr.value;
  if (a.merit !== undefined && b.merit !== undefined && a.merit !== b.merit) return a.merit > b.merit;
  if (a.best.ca.value !== b.best.ca.value) return a.best.ca.value > b.best.ca.value;
  return a.best.asr.value < b.best.asr.value;
}
