/** What the world must not give away: labels to whoever compares raw pixels or counts colours. And how fast it is drawn. */
import { expect, it } from "vitest";
import { clipPreprocess } from "../../src/checkpoint/config/preprocess.ts";
import { shapesWorld } from "../../src/world/shapes.ts";

const SIZE = 56;
const PIXELS = 3 * SIZE * SIZE;
const BINS = 64;

interface Sample {
  readonly labels: readonly number[];
  /** [N, PIXELS], 8-bit levels, the three channels of a pixel side by side. */
  readonly pixels: Int16Array;
  /** [N, BINS], shares of the image's pixels in 4 x 4 x 4 bins of RGB. */
  readonly histograms: Float32Array;
}

async function sample(split: string, count: number): Promise<Sample> {
  const world = shapesWorld({ seed: 7, split, size: count });
  const pixels = new Int16Array(count * PIXELS);
  const histograms = new Float32Array(count * BINS);
  const labels: number[] = [];
  const area = SIZE * SIZE;
  for (let n = 0; n < count; n++) {
    labels.push(world.example(n).label!);
    const { data } = await world.read([n], clipPreprocess(SIZE));
    for (let p = 0; p < area; p++) {
      let bin = 0;
      for (let c = 0; c < 3; c++) {
        const level = Math.round(data[c * area + p] * 255);
        pixels[n * PIXELS + p * 3 + c] = level;
        bin = bin * 4 + (level >> 6);
      }
      histograms[n * BINS + bin] += 1 / area;
    }
  }
  return { labels, pixels, histograms };
}

/** Share of the given test labels that the nearest training row shares. `distance` may stop once it exceeds `best`. */
function nearestNeighbour(
  known: readonly number[],
  asked: readonly number[],
  distance: (asked: number, known: number, best: number) => number,
): number {
  let right = 0;
  asked.forEach((label, a) => {
    let best = Number.POSITIVE_INFINITY;
    let answer = -1;
    known.forEach((guess, b) => {
      const d = distance(a, b, best);
      if (d < best) {
        best = d;
        answer = guess;
      }
    });
    if (answer === label) right++;
  });
  return right / asked.length;
}

/** Softmax regression on square roots of histograms, trained by Adam; its accuracy on the test rows. */
function softmaxRegression(train: Sample, test: Sample, classes: number): number {
  const roots = (s: Sample) => s.histograms.map((share) => 10 * Math.sqrt(share) - 1);
  const x = roots(train);
  const w = new Float64Array(classes * BINS);
  const m = new Float64Array(w.length);
  const v = new Float64Array(w.length);
  const g = new Float64Array(w.length);
  const scores = new Float64Array(classes);
  const score = (rows: Float32Array, n: number) => {
    for (let c = 0; c < classes; c++) {
      let s = 0;
      for (let k = 0; k < BINS; k++) s += w[c * BINS + k] * rows[n * BINS + k];
      scores[c] = s;
    }
  };
  const batch = 100;
  const steps = (20 * train.labels.length) / batch;
  for (let step = 0; step < steps; step++) {
    g.fill(0);
    for (let i = 0; i < batch; i++) {
      const n = (step * batch + i) % train.labels.length;
      score(x, n);
      const top = Math.max(...scores);
      let sum = 0;
      for (let c = 0; c < classes; c++) sum += scores[c] = Math.exp(scores[c] - top);
      for (let c = 0; c < classes; c++) {
        const slope = scores[c] / sum - (train.labels[n] === c ? 1 : 0);
        for (let k = 0; k < BINS; k++) g[c * BINS + k] += slope * x[n * BINS + k];
      }
    }
    const rate = 0.02 * (1 - step / steps);
    for (let k = 0; k < w.length; k++) {
      m[k] += 0.1 * (g[k] / batch - m[k]);
      v[k] += 0.01 * ((g[k] / batch) ** 2 - v[k]);
      w[k] -= (rate * m[k]) / (Math.sqrt(v[k]) + 1e-8);
    }
  }
  const rows = roots(test);
  let right = 0;
  test.labels.forEach((label, n) => {
    score(rows, n);
    if (scores.indexOf(Math.max(...scores)) === label) right++;
  });
  return right / test.labels.length;
}

const train = await sample("train", 20_000);
const test = await sample("test", 4_000);

it("colour histograms tell <= 15 % of 100 classes from 20,000 images, on 4,000 more", { timeout: 600_000 }, () => {
  const l1 = nearestNeighbour(train.labels, test.labels, (a, b) => {
    let d = 0;
    for (let k = 0; k < BINS; k++) d += Math.abs(test.histograms[a * BINS + k] - train.histograms[b * BINS + k]);
    return d;
  });
  const chiSquare = nearestNeighbour(train.labels, test.labels, (a, b) => {
    let d = 0;
    for (let k = 0; k < BINS; k++) {
      const p = test.histograms[a * BINS + k];
      const q = train.histograms[b * BINS + k];
      if (p !== q) d += (p - q) ** 2 / (p + q);
    }
    return d;
  });
  const softmax = softmaxRegression(train, test, 100);
  console.log({
    "histogram, nearest in L1": l1,
    "histogram, nearest in chi-square": chiSquare,
    "histogram, softmax": softmax,
  });
  expect(Math.max(l1, chiSquare, softmax)).toBeLessThanOrEqual(0.15);
});

it("raw pixels tell <= 30 % of 100 classes from 20,000 images, on 1,000 more", { timeout: 600_000 }, () => {
  const raw = nearestNeighbour(train.labels, test.labels.slice(0, 1000), (a, b, best) => {
    let d = 0;
    const p = a * PIXELS;
    const q = b * PIXELS;
    for (let k = 0; k < PIXELS && d < best; ) {
      for (const end = Math.min(k + 168, PIXELS); k < end; k++) {
        const difference = test.pixels[p + k] - train.pixels[q + k];
        d += difference * difference;
      }
    }
    return d;
  });
  console.log({ "raw pixels, nearest in L2": raw });
  expect(raw).toBeLessThanOrEqual(0.3);
});

it("draws 2,000 images of 56 x 56 a second on one core", async () => {
  const world = shapesWorld({ seed: 7, split: "speed", size: 4096 });
  const rates: number[] = [];
  for (let round = 0; round < 4; round++) {
    const start = performance.now();
    for (let n = 0; n < 4096; n += 256) {
      await world.read(
        Array.from({ length: 256 }, (_, i) => n + i),
        clipPreprocess(SIZE),
      );
    }
    rates.push(4096 / ((performance.now() - start) / 1000));
  }
  console.log({ "images a second": rates.map(Math.round) });
  expect(Math.max(...rates)).toBeGreaterThanOrEqual(2000);
});
