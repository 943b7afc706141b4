/** The fewest images for which something holds. */

/** More images than this nobody brings: numbers beyond are no advice. */
export const mostImages = 1e6;

/**
 * The fewest images from `from` on for which `holds`, which stays true once it is; Infinity where no number that anybody brings
 * does. `from` itself is taken not to do.
 */
export function fewest(from: number, holds: (n: number) => boolean): number {
  let [few, many] = [from, Math.max(1, 2 * from)];
  while (!holds(many)) {
    if (many > mostImages) return Number.POSITIVE_INFINITY;
    [few, many] = [many, 2 * many];
  }
  while (many - few > 1) {
    const middle = Math.floor((few + many) / 2);
    if (holds(middle)) many = middle;
    else few = middle;
  }
  return many;
}
