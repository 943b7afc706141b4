/** How far one value stands apart from many. */

/** The middle of the values; of an even count the mean of both. NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * Neural Cleanse's anomaly index of each value: how far it lies below the median, in units of 1.4826 times the median absolute deviation;
 * negative above the median. 0 where all lie together.
 */
export function anomalyIndices(values: readonly number[]): number[] {
  const middle = median(values);
  const deviation = 1.4826 * median(values.map((value) => Math.abs(value - middle)));
  return values.map((value) => (deviation > 0 ? (middle - value) / deviation : 0));
}

/** (value - mean) / deviation of each; 0 where all are alike. */
export function zScores(values: readonly number[]): number[] {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  return values.map((value) => (deviation > 0 ? (value - mean) / deviation : 0));
}
