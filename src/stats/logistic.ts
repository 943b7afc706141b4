/** Logistic regression, for a few features. */

export interface Logistic {
  readonly intercept: number;
  /** None is below zero: more of a statistic never makes a model less suspicious. */
  readonly weights: readonly number[];
}

/** 1 / (1 + exp(-(intercept + weights x))) */
export function probabilityOf({ intercept, weights }: Logistic, x: readonly number[]): number {
  const sum = weights.reduce((total, weight, i) => total + weight * x[i], intercept);
  return 1 / (1 + Math.exp(-sum));
}

/**
 * Minimises mean cross-entropy + ridge |weights|^2 / 2 with weights >= 0, both classes counting alike however many there are, by projected
 * gradient descent. `x` has a row of features for each example, `y` is 1 or 0.
 */
export function fitLogistic(x: readonly (readonly number[])[], y: readonly number[], ridge: number): Logistic {
  const width = x[0].length;
  const ones = y.reduce((a, b) => a + b, 0);
  const share = y.map((is) => (is ? 0.5 / ones : 0.5 / (y.length - ones)));
  let [intercept, weights] = [0, new Array<number>(width).fill(0)];
  // the gradient's Lipschitz constant is at most a quarter of the mean squared row, 1 for the intercept included
  const bound = x.reduce((sum, row, i) => sum + share[i] * row.reduce((a, b) => a + b * b, 1), 0) / 4 + ridge;
  for (let step = 0; step < 20_000; step++) {
    const [down, slopes] = [{ value: 0 }, weights.map((weight) => ridge * weight)];
    for (const [i, row] of x.entries()) {
      const off = share[i] * (probabilityOf({ intercept, weights }, row) - y[i]);
      down.value += off;
      for (let k = 0; k < width; k++) slopes[k] += off * row[k];
    }
    intercept -= down.value / bound;
    weights = weights.map((weight, k) => Math.max(0, weight - slopes[k] / bound));
  }
  return { intercept, weights };
}
