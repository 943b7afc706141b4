/** 0.9949 -> "99.5 %", for sentences. */
export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** Near a limit a tenth of a percent is too coarse: 0.0203 -> "2.03 %", 0.02 -> "2.0 %". */
export const exactPercent = (share: number): string => `${(100 * share).toFixed(2).replace(/0$/, "")} %`;
