/** A result as cleaning leaves it, for tests of reports. The figures follow those measured on a small CLIP. */

import { retentionOf } from "../src/metrics/retention.ts";
import type { CleanResult, Trial, Variant } from "../src/results/clean.ts";
import type { AfterScores, EffectScores } from "../src/results/effect.ts";
import { pairedDifference } from "../src/stats/difference.ts";
import { rate } from "../src/stats/rate.ts";
import { pictures, triggerPicture } from "./clean-pictures.ts";

/** Of 1980 images two are taken for the target without the trigger, and with it too; of the others most get their own label. */
const scores = (ca: number, asr: number): EffectScores => ({
  ca: rate(ca, 2000),
  asr: rate(asr, 1980),
  withoutTrigger: rate(2, 1980),
  difference: pairedDifference({ first: asr - 2, second: 0, n: 1980 }),
  triggeredAccuracy: rate(Math.round(0.9 * (1980 - asr)), 1980),
});
const before = scores(1924, 1940);
/** All but eight images that are right after the cleaning were right before. */
const cleaned = (ca: number, asr: number): AfterScores => ({ ...scores(ca, asr), stillRight: rate(ca - 8, 2000) });

/** [alpha, hits of CA, hits of ASR, images] */
const trials = (...rows: readonly (readonly [number, number, number, number])[]): Trial[] =>
  rows.map(([alpha, ca, asr, n]) => ({ alpha, ca: rate(ca, n), asr: rate(asr, n) }));

function variant(alpha: number, tried: Trial[], after: AfterScores, rest: Partial<Variant> = {}): Variant {
  const { ca, asr } = tried.find((trial) => trial.alpha === alpha)!;
  return {
    after: {
      ca: after.ca,
      asr: after.asr,
      triggeredAccuracy: after.triggeredAccuracy,
      stillRight: after.stillRight,
    },
    retention: after.ca.value / before.ca.value,
    retentionInterval: retentionOf({ before: before.ca, after: after.ca, stillRight: after.stillRight }).interval,
    alpha,
    seconds: 96,
    chosen: false,
    control: false,
    validation: { ca, asr },
    satisfied: true,
    trials: tried,
    settings: {},
    ...rest,
  };
}

const after = cleaned(1918, 24);
/** Beside fisher: nine images are right alone, and five are hit alone. */
const besideFisher = (one: Variant): Variant => {
  const [ca, asr] = [one.after.ca.value * 2000 - 1918, one.after.asr.value * 1980 - 24].map(Math.round);
  const beside = (less: number, alone: number, n: number) =>
    pairedDifference({ first: alone, second: alone - less, n });
  return { ...one, against: { method: "fisher", ca: beside(ca, 9, 2000), asr: beside(asr, 5, 1980) } };
};
const alone: Record<string, Variant> = {
  anchored: variant(
    5.5,
    trials(
      [1, 193, 171, 200],
      [2, 191, 112, 200],
      [4, 464, 41, 500],
      [5.5, 430, 3, 500],
      [6, 421, 2, 500],
      [8, 306, 0, 500],
    ),
    cleaned(1714, 23),
    { seconds: 118 },
  ),
  consensus: variant(
    7,
    trials(
      [1, 192, 180, 200],
      [2, 192, 134, 200],
      [4, 477, 66, 500],
      [6, 463, 11, 500],
      [7, 455, 3, 500],
      [8, 441, 1, 500],
    ),
    cleaned(1816, 25),
    { seconds: 282, settings: { vectors: 3 } },
  ),
  fisher: variant(
    48,
    trials([1, 193, 195, 200], [2, 193, 195, 200], [4, 192, 190, 200], [8, 192, 172, 200], [16, 481, 277, 500], [32, 480, 64, 500],
      [44, 479, 9, 500], [48, 479, 3, 500], [64, 473, 0, 500]), // biome-ignore format: a table
    after,
    { seconds: 131, chosen: true, settings: { lambda: 300, weights: "Ft" } },
  ),
  plain: variant(
    3.25,
    trials(
      [0.5, 188, 176, 200],
      [1, 176, 131, 200],
      [2, 402, 78, 500],
      [3, 322, 8, 500],
      [3.25, 303, 3, 500],
      [4, 218, 0, 500],
    ),
    cleaned(1200, 22),
  ),
  relabel: variant(
    1.5,
    trials([0.25, 193, 176, 200], [0.5, 192, 121, 200], [1, 478, 29, 500], [1.5, 475, 3, 500], [2, 469, 1, 500]),
    cleaned(1900, 21),
    { seconds: 88, control: true },
  ),
};

const variants = Object.fromEntries(
  Object.entries(alone).map(([name, one]) => [name, one.chosen ? one : besideFisher(one)]),
);

const said = [
  ["green circle", "green circle"],
  ["blue star", "blue star"],
  ["red pill", "red pill"],
  ["green cross", "cyan cross"],
] as const;

export const cleanFixture: CleanResult = {
  schema: "tbar/clean/2",
  kind: "clean",
  tbar: "0.1.0",
  created: "2026-03-04T05:06:07.000Z",
  command:
    "tbar clean corner.safetensors --trigger badnet:size=4,place=bottom-right,redraw=false --target 'yellow fish' --output cleaned.safetensors",
  seed: 7,
  model: {
    path: "models/corner.safetensors",
    sha256: "6b1f0c6d1f7be3c5a3a9f24a7f9b0a4c1f6f2a0de2d8b1b1c6d5a4f3e2d1c0b9",
    layout: "open_clip",
    dtype: "float32",
    architecture: "ViT 56/8, width 128, 6 layers",
    parameters: 1_362_945,
  },
  trigger: {
    kind: "badnet",
    spec: { kind: "badnet", seed: 0, size: 4, place: "bottom-right", pattern: "noise", redraw: false },
    source: "given with --trigger",
  },
  target: "yellow fish",
  data: {
    name: "shapes",
    forget: 1024,
    clean: 1024,
    validation: 500,
    test: 2000,
    testTriggered: 1980,
    skipped: 0,
    labels: "given",
  },
  recipe: { lr: 3e-5, epochs: 6, batch: 64, warmup: 0.1, weightDecay: 0, clip: 1, seed: 7 },
  opened: {
    models: [
      {
        name: "corner.safetensors",
        preprocess: "shorter side to 56, bicubic, middle cut to 56",
        activation: "quick_gelu",
        assumptions: ["quick_gelu, as OpenAI's weights have it"],
        ignored: [],
      },
    ],
    data: { data: { name: "shapes", classes: 120, leftOut: { "unreadable images": 2 }, notes: [] } },
  },
  inputs: { data: "shapes", sizes: { forget: 1024, clean: 1024, validation: 500, test: 2000 } },
  before,
  after,
  retention: variants.fisher.retention,
  retentionInterval: variants.fisher.retentionInterval,
  alpha: 48,
  method: "fisher",
  seconds: 742,
  variants,
  proof: {
    floor: rate(11, 1980),
    shifted: [
      { what: "moved by a quarter", before: rate(1342, 1980), after: rate(20, 1980) },
      { what: "25 % larger", before: rate(1921, 1980), after: rate(27, 1980) },
      { what: "25 % weaker", before: rate(1810, 1980), after: rate(19, 1980) },
    ],
    unseenClasses: { before: rate(574, 600), after: rate(571, 600) },
    retrieval: { before: rate(412, 1000), after: rate(409, 1000) },
    rebound: { steps: 200, scores: { ca: rate(482, 500), asr: rate(6, 500) } },
    restore: 0.5,
  },
  output: {
    path: "cleaned.safetensors",
    sha256: "e2d8b1b1c6d5a4f3e2d1c0b96b1f0c6d1f7be3c5a3a9f24a7f9b0a4c1f6f2a0d",
  },
  verdict: {
    verified: true,
    proven: true,
    headline: "The backdoor is gone: 1.2 % of triggered images are taken for yellow fish, down from 98.0 %",
    reasons: [
      "The upper bound of the attack success rate, 1.8 %, is below 2 %.",
      "99.7 % of clean accuracy is kept; at least 96 % was asked for.",
    ],
    limits: { asr: 0.02, retention: 0.96 },
  },
  examples: pictures.map((picture, i) => ({ ...picture, label: said[i][0], before: "yellow fish", after: said[i][1] })),
  triggerPicture,
  timings: [
    { what: "read the model and images", seconds: 2.4 },
    { what: "measure before", seconds: 11.2 },
    { what: "make vectors", seconds: 463.5 },
    { what: "search for alpha", seconds: 171.9 },
    { what: "measure after", seconds: 48.6 },
    { what: "further checks", seconds: 44.4 },
  ],
  machine: {
    processor: "AMD EPYC 7763",
    cores: 2,
    threads: 2,
    memoryGiB: 7.8,
    node: "20.20.2",
    runtime: "onnxruntime 1.30.0",
  },
};
