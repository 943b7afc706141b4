/** Patterns over the whole image: mixed in, or added column by column; and how they are moved and enlarged. */

/** image = clip(ratio * pattern + (1 - ratio) * image), both factors in float32 as torch takes them. */
export function blend(image: Float32Array, pattern: Float32Array, ratio: number): void {
  const share = Math.fround(ratio);
  const rest = Math.fround(1 - ratio);
  for (let i = 0; i < image.length; i++) image[i] = clip(share * pattern[i] + rest * image[i]);
}

/** image[c][i][j] = clip(columns[c][j] + rest * image[c][i][j]): vertical bars, columns [3, S]. */
export function addColumns(image: Float32Array, columns: Float32Array, rest: number): void {
  const S = columns.length / 3;
  for (let k = 0, c = 0; c < 3; c++) {
    for (let i = 0; i < S; i++) {
      for (let j = c * S; j < (c + 1) * S; j++, k++) image[k] = clip(columns[j] + rest * image[k]);
    }
  }
}

/** Clamped to [0, 1] without a branch: noise crosses the bounds at random, and a processor that guesses wrong loses more than this. */
function clip(value: number): number {
  const positive = value + Math.abs(value); // twice max(value, 0)
  const left = 2 - positive;
  return 1 - (left + Math.abs(left)) / 4;
}

/**
 * Which pixel of a line of S each pixel of the moved line shows: enlarged about the centre (nearest pixel, cut to S), then
 * rolled by `shift` * S.
 */
export function sources(S: number, shift: number, scale: number): Int32Array {
  const roll = Math.round(shift * S);
  return Int32Array.from({ length: S }, (_, i) => {
    const unrolled = (i - roll + S) % S;
    return Math.floor((unrolled + 0.5 - S / 2) / scale + S / 2);
  });
}

/** Moves and enlarges patterns [C, S, S], as `sources` does lines; the result is overwritten by the next. */
export function rearrangement(
  S: number,
  { shift, scale }: { readonly shift: number; readonly scale: number },
): (pattern: Float32Array) => Float32Array {
  if (shift === 0 && scale === 1) return (pattern) => pattern;
  const from = sources(S, shift, scale);
  let out = new Float32Array(0);
  return (pattern) => {
    if (out.length !== pattern.length) out = new Float32Array(pattern.length);
    for (let k = 0, row = 0; k < out.length; row++) {
      const start = (Math.floor(row / S) * S + from[row % S]) * S;
      for (let j = 0; j < S; j++) out[k++] = pattern[start + from[j]];
    }
    return out;
  };
}
