/**
 * Loss and every gradient of what defenses train on against PyTorch's autograd on transformers' CLIP (scripts/golden/rivals.py, float64).
 * Weights and inputs follow from the same congruence; of each gradient every seventeenth value is compared, relative to the largest of all.
 */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ClipConfig, parameterShapes } from "../../src/checkpoint/config/config.ts";
import { clipPreprocess } from "../../src/checkpoint/config/preprocess.ts";
import { unit } from "../../src/clip/loss.ts";
import { tokenBatch } from "../../src/clip/tokens.ts";
import { imageTower } from "../../src/clip/towers.ts";
import { cleanClipLoss } from "../../src/defenses/cleanclip.ts";
import { ascent } from "../../src/defenses/gradient-ascent.ts";
import { pullingBack } from "../../src/defenses/invertune.ts";
import { parLoss } from "../../src/defenses/par.ts";
import { roClipLoss } from "../../src/defenses/roclip.ts";
import { gradientsOf, type Objective } from "../../src/engine/gradients.ts";
import { classification, contrastive } from "../../src/engine/objectives.ts";
import { failing, withPerturbation } from "../../src/engine/universal.ts";
import { createRuntime, type Runtime } from "../../src/runtime/compile.ts";
import { onnxRuntime } from "../../src/runtime/onnxruntime.ts";
import { sizeOf, type Tensor, tensor, type Weights } from "../../src/tensor/tensor.ts";

interface Recorded {
  readonly value: number;
  readonly gradients: Readonly<Record<string, { readonly most: number; readonly some: string }>>;
}
const golden: {
  readonly losses: Readonly<Record<string, Recorded>>;
  readonly perturbation: { readonly value: number; readonly gradient: string };
} = JSON.parse(readFileSync("test/golden/files/rivals.json", "utf8"));
const floats = (text: string) => new Float32Array(new Uint8Array(Buffer.from(text, "base64")).buffer);

const [S, B, C, E, L] = [12, 4, 5, 8, 6];
const tower = { width: 16, layers: 2, heads: 2, mlpWidth: 32, activation: "quick_gelu", eps: 1e-5 } as const;
const config: ClipConfig = {
  embedDim: E,
  logitScaleInit: 1.5,
  vision: { ...tower, imageSize: S, patchSize: 4 },
  text: { ...tower, vocabSize: 11, bosTokenId: 1, eosTokenId: 2, pooling: "first-eos", contextLength: L },
};
const preprocess = clipPreprocess(S);

/** x -> 16807 x mod (2^31 - 1), as x / 2^30 - 1; the first ten left out. */
function values(seed: number, ...shape: number[]): Tensor {
  let x = seed;
  const next = () => (x = (16807 * x) % (2 ** 31 - 1)) / 2 ** 30 - 1;
  for (let i = 0; i < 10; i++) next();
  return { shape, data: Float32Array.from({ length: sizeOf(shape) }, next) };
}
const mapped = ({ shape, data }: Tensor, f: (v: number) => number): Tensor => ({ shape, data: data.map(f) });
/** Rows of length 1. */
function constant(seed: number): Tensor {
  const { shape, data } = values(seed, B, E);
  const norms = Array.from({ length: B }, (_, b) => Math.hypot(...data.subarray(b * E, (b + 1) * E)));
  return { shape, data: data.map((v, i) => v / norms[Math.floor(i / E)]) };
}
const away = (seed: number) => mapped(constant(seed), (v) => -v);

const names = [...parameterShapes(config).keys()].sort((a, b) => (a < b ? -1 : 1));
const weights: Weights = new Map(
  names.map((name, i) => {
    const shape = parameterShapes(config).get(name) as readonly number[];
    if (name === "logit_scale") return [name, tensor(shape, [1.5])];
    const isNorm = /norm.*weight$/.test(name);
    return [name, { shape, data: values(101 + i, ...shape).data.map((v) => (isNorm ? 1 + 0.1 * v : 0.5 * v)) }];
  }),
);
const images = mapped(values(1, B, 3, S, S), (v) => 0.5 + 0.4 * v);
const others = mapped(values(2, B, 3, S, S), (v) => 0.5 + 0.4 * v);
const head = mapped(values(3, C, E), (v) => 6 * v);
const labels = Int32Array.of(4, 0, 2, 4);
const delta = mapped(values(4, 3, S, S), (v) => Math.fround(0.04 * v));
const text = tokenBatch([[1, 5, 6, 2], [1, 7, 2], [1, 3, 4, 8, 2], [1, 9, 10, 3, 4, 2]], config.text); // biome-ignore format: a row each
const swapped = tokenBatch([[1, 6, 5, 2], [1, 7, 2], [1, 4, 3, 8, 2], [1, 9, 3, 10, 4, 2]], config.text); // biome-ignore format: a row each
const masks = new Map([10, 1].map((T, n) => [n, mapped(values(51 + n, T, 16), (v) => Number(v > 0))]));

let runtime: Runtime;
beforeAll(async () => {
  runtime = createRuntime(await onnxRuntime({ threads: 1 }));
});
afterAll(() => runtime.release());

const usual = classification(config, preprocess, head);
const perturbedImages = async () => {
  const whole = { name: "images", size: B, example: (i: number) => ({ id: `${i}` }), read: async () => images };
  return withPerturbation(whole, delta).read([0, 1, 2, 3], preprocess);
};
const compute = <Batch>(objective: Objective<Batch>, batch: Batch) => gradientsOf(runtime, objective, weights)(weights, batch); // biome-ignore format: one line
const parOf = (first: Tensor) =>
  compute(
    parLoss(config, preprocess, async () => ({ images: first, texts: away(7) })),
    { pixels: images, text },
  );
const computed: Readonly<Record<string, () => ReturnType<typeof compute>>> = {
  "gradient ascent": () => compute(ascent(usual), { pixels: images, labels }),
  "I-BAU, outer problem": async () => compute(usual, { pixels: await perturbedImages(), labels }),
  "CLIP fine-tuning": () => compute(contrastive(config, preprocess), { pixels: images, text }),
  CleanCLIP: () => compute(cleanClipLoss(config, preprocess), { pixels: [images, others], text: [text, swapped] }),
  "RoCLIP, a round that asks the pool": () =>
    compute(
      roClipLoss(config, preprocess, async () => constant(5)),
      { pixels: images, text, asksPool: true },
    ),
  "PAR, both near": () => parOf(away(6)),
  "PAR, images far": () => parOf(constant(6)),
  InverTune: () =>
    compute(
      pullingBack(config, preprocess, masks, async () => constant(8)),
      { pixels: [others, images] },
    ),
};

/** The project's tolerance for gradients: of the largest value. */
const tolerance = 2e-5;

test("nothing that is recorded goes unread", () => {
  expect(Object.keys(computed)).toEqual(Object.keys(golden.losses));
});

test.each(Object.keys(golden.losses))("%s", async (name) => {
  const { value, gradients } = golden.losses[name];
  const { loss, of } = await computed[name]();
  expect(Math.abs(loss - value)).toBeLessThanOrEqual(tolerance * Math.abs(value));
  expect([...of.keys()].filter((one) => gradients[one] === undefined && !isZero(of.get(one)))).toEqual([]);
  let compared = 0;
  for (const [parameter, { most, some }] of Object.entries(gradients)) {
    // moves all scores of a row alike: its gradient is zero but for rounding
    if (parameter.endsWith("k_proj.bias")) continue;
    const got = of.get(parameter)?.data.filter((_, i) => i % 17 === 0) as Float32Array;
    const apart = floats(some).map((v, i) => Math.abs(v - got[i]));
    expect(Math.max(...apart) / most, parameter).toBeLessThanOrEqual(tolerance);
    compared++;
  }
  expect(compared).toBeGreaterThan(30);
});

const isZero = (of: Tensor | undefined) => of?.data.every((v) => v === 0);

test("I-BAU, inner problem: the gradient to the perturbation", async () => {
  const objective: Objective<null> = {
    trains: (name) => name === "delta",
    feeds: () => ({ pixels: images, head, targets: tensor([B, C], [...labels].flatMap((label) => Array.from({ length: C }, (_, c) => Number(c === label)))) }), // biome-ignore format: one line
    loss: (p, feeds) =>
      failing({ variable: p("delta"), feeds, embed: (pixels) => unit(imageTower(config, p, pixels, preprocess)) }),
  };
  const all: Weights = new Map([...weights, ["delta", delta]]);
  const { loss, of } = await gradientsOf(runtime, objective, all)(all, null);
  const want = floats(golden.perturbation.gradient);
  expect(Math.abs(loss - golden.perturbation.value)).toBeLessThanOrEqual(
    tolerance * Math.abs(golden.perturbation.value),
  );
  const apart = want.map((v, i) => Math.abs(v - (of.get("delta") as Tensor).data[i]));
  expect(Math.max(...apart) / Math.max(...want.map(Math.abs))).toBeLessThanOrEqual(tolerance);
});
