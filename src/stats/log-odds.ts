/** Shares as log odds, with a fiftieth added on either side: those of 0 and 1 are as far as 64 images can tell. */
export const logOdds = (share: number): number => Math.log((share + 0.02) / (1.02 - share));

/** The share of these log odds, from 0 to 1. */
export const shareOf = (odds: number): number => Math.min(1, Math.max(0, 1.04 / (1 + Math.exp(-odds)) - 0.02));
