/** 0.9949 -> "99.5 %", for sentences. */
export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
