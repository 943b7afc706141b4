/**
 * Does a choice of alpha hold on fresh test images? The real search on images drawn anew each time: each gives in to the cleaning at a
 * strength of its own. 485 validation images, as the default leaves them, and 1,980 test images.
 *
 * Share of 1,000 runs that test images verify (and mean share of CA kept) for one vector, and for the best of four that have half of
 * their images' strengths in common. The old rule asked of validation images what the verdict asks of test images. Of 45 stored results
 * of the old rule three reach above the limit, each with the best of four; their curves fall with the 2.6th to the 16th power of alpha,
 * half of them with more than the 5.9th.
 *
 * | power | old rule, one | this rule, one | old, best of four | this, best of four |
 * |---|---|---|---|---|
 * | 1.5 | 0.899 (0.977) | 0.966 (0.959) | 0.804 (0.985) | 0.982 (0.970) |
 * | 3 | 0.933 (0.976) | 0.984 (0.961) | 0.826 (0.981) | 0.980 (0.969) |
 * | 6 | 0.945 (0.973) | 0.995 (0.964) | 0.871 (0.976) | 0.988 (0.969) |
 * | 12 | 0.966 (0.972) | 0.999 (0.967) | 0.910 (0.974) | 0.991 (0.969) |
 *
 * With a power of 1.5 an alpha that satisfies both sides is hard to come by; going farther where that costs nothing (`farther`) finds it. With
 * 1,000 validation images the old rule held less often, not more (best of four: 63 to 78 %; with the margin 98 % and more), since they take
 * its choice nearer to the limit.
 */
import { expect, test } from "vitest";
import type { Metric } from "../engine/scorer.ts";
import { rate } from "../stats/rate.ts";
import { retention } from "../stats/retention.ts";
import { random } from "../tensor/random.ts";
import { type Tensor, tensor, type Weights } from "../tensor/tensor.ts";
import { type Search, searchAlpha } from "./alpha-search.ts";
import { bestRepair } from "./best-repair.ts";

const [validation, images, clean] = [485, 1980, 2000];
const caBefore = 0.98;
const at = (alpha: number): Weights => new Map([["alpha", tensor([], [alpha])]]);

/** Images are hit while their own draw lies below the curve. */
const metricOf = (draws: Float64Array, curve: (alpha: number) => number): Metric => ({
  size: draws.length,
  async hits(weights, from = 0, to = draws.length) {
    const share = curve((weights.get("alpha") as Tensor).data[0]);
    return draws.subarray(from, to).reduce((n, draw) => (draw < share ? n + 1 : n), 0);
  },
});

/** The share of runs that are verified, with `vectors` to choose from. */
async function shareVerified(power: number, vectors: number, runs: number): Promise<number> {
  const asr = (alpha: number) => 1 / (1 + alpha ** power);
  const ca = (alpha: number) => caBefore / (1 + (alpha / (6 * 200 ** (1 / power))) ** 2);
  const draw = random("verified", power, vectors);
  const uniform = (n: number) => Float64Array.from({ length: n }, () => draw.uniform());
  let verified = 0;
  for (let run = 0; run < runs; run++) {
    const [shared, fresh, own] = [uniform(validation), uniform(images), uniform(validation)];
    const tried: { search: Search; fresh: Float64Array }[] = [];
    for (let vector = 0; vector < vectors; vector++) {
      const half = (one: Float64Array) => one.map((value, i) => (i % 2 === 0 && vector > 0 ? draw.uniform() : value));
      const search = await searchAlpha({
        at,
        clean: metricOf(own, ca),
        triggered: metricOf(half(shared), asr),
        verify: { images, retention: 0.9 },
        caBefore,
        start: 1,
      });
      tried.push({ search, fresh: half(fresh) });
    }
    const best = bestRepair(tried).search;
    const { alpha } = best.best;
    const test = tried.find(({ search }) => search === best) as (typeof tried)[number];
    const hits = await metricOf(test.fresh, asr).hits(at(alpha));
    const answers = uniform(clean); // right after the cleaning only where right before
    const [before, after] = [caBefore, ca(alpha)].map((share) => answers.filter((one) => one < share).length);
    const kept = retention({ before, after, both: after });
    if (best.satisfied && rate(hits, images).interval[1] <= 0.02 && kept.interval[0] >= 0.9) verified++;
  }
  return verified / runs;
}

test.each([
  [3, 1],
  [6, 1],
  [12, 1],
  [3, 4],
  [6, 4],
  [12, 4],
])("ASR falls with the power %i of alpha, best of %i: at least 19 of 20 runs are verified", async (power, vectors) => {
  expect(await shareVerified(power, vectors, vectors === 1 ? 500 : 200)).toBeGreaterThanOrEqual(0.95);
});
