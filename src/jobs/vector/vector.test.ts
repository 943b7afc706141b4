import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readCheckpoint } from "../../checkpoint/clip-folder.ts";
import type { ClipConfig } from "../../checkpoint/config/config.ts";
import { clipPreprocess } from "../../checkpoint/config/preprocess.ts";
import { openSafetensors, writeSafetensors } from "../../checkpoint/formats/safetensors.ts";
import { partsOf } from "../../checkpoint/names/layouts.ts";
import { putTogether } from "../../checkpoint/names/parts.ts";
import { writeNewCheckpoint } from "../../checkpoint/new-checkpoint.ts";
import { initialWeights } from "../../clip/parameters.ts";
import { type Tensor, tensor, type Weights } from "../../tensor/tensor.ts";
import type { Given } from "../context.ts";
import { runJob } from "../run-job.ts";
import { vectorApply, vectorCosine, vectorDiff, vectorInfo } from "./job.ts";
import { writeVector } from "./vector-file.ts";

const tower = { width: 64, layers: 1, heads: 1, mlpWidth: 32, activation: "quick_gelu", eps: 1e-5 } as const;
/** The token table has 1,280,000 values: it does not fit into one piece of 2^20. */
const config: ClipConfig = {
  embedDim: 8,
  logitScaleInit: 0,
  vision: { ...tower, imageSize: 16, patchSize: 8 },
  text: { ...tower, contextLength: 8, vocabSize: 20_000, pooling: "largest-id" },
};
const table = "text_model.embeddings.token_embedding.weight";
const projection = "visual_projection.weight";
const query = "vision_model.encoder.layers.0.self_attn.q_proj.weight";

let folder: string;
const at = (name: string) => join(folder, name);
const base = initialWeights(config, 1);

const diffModels = (from: string, to: string, out: string) => runJob(vectorDiff, { from, to, out });
const applyVector = (
  model: string,
  vector: string,
  out: string,
  { signal, ...asked }: { alpha?: number; force?: boolean } & Given = {},
) => runJob(vectorApply, { model, vector, out, ...asked }, { signal });
const infoOf = (vector: string) => runJob(vectorInfo, { vector });

/** The weights with some values set: [parameter, place, value]. */
function having(weights: Weights, values: readonly (readonly [string, number, number])[]): Weights {
  const out = new Map(weights);
  for (const [name, place, value] of values) {
    const { shape, data } = out.get(name) as Tensor;
    out.set(name, { shape, data: data.with(place, value) });
  }
  return out;
}

const write = (name: string, weights: Weights, dtype: "F32" | "F16" | "BF16" = "F32") =>
  writeNewCheckpoint(at(name), { config, weights, dtype, preprocess: clipPreprocess(16) });

const valueIn = async (name: string, parameter: string, place: number) =>
  (await (await readCheckpoint(at(name))).tensor(parameter)).data[place];

/** The same weights as OpenAI names and stores them, as a lone file. */
async function writeOpenAi(name: string, weights: Weights): Promise<void> {
  const tensors = partsOf(
    "openai",
    new Set(["visual.transformer.resblocks.0.ln_1.weight", "transformer.resblocks.0.ln_1.weight"]),
  ).map((part) => {
    const value = putTogether(
      part,
      part.ours.map((our) => weights.get(our) as Tensor),
    );
    return { name: part.file, dtype: "F32" as const, shape: value.shape, data: () => value };
  });
  await writeSafetensors(at(name), { tensors });
}

const changed = having(base, [
  [table, 0, 3],
  [table, 1_100_000, 5],
  [projection, 17, 7],
  [query, 40, 9],
]);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-vector-"));
  await write("from", having(base, [[table, 1_100_000, 4]]));
  await write("to", changed);
});
afterAll(() => rm(folder, { recursive: true }));

test("tau = TO - FROM, tensors that do not differ left out, differences behind the first piece found", async () => {
  const { opened, ...info } = await diffModels(at("from"), at("to"), at("tau.safetensors"));
  expect(opened).toMatchObject({ models: [{ name: "from" }, { name: "to" }] });
  const file = await openSafetensors(at("tau.safetensors"));
  expect([...file.tensors.keys()].sort()).toEqual([table, query, projection]);
  const { data } = await file.read(table);
  expect([data[1], data[1_100_000], data.length]).toEqual([0, 1, 1_280_000]);
  expect(data[0]).toBe(Math.fround(3 - (base.get(table)?.data[0] ?? 0)));
  await file.close();
  const norm = Math.hypot(
    3 - (base.get(table)?.data[0] ?? 0),
    1,
    7 - (base.get(projection)?.data[17] ?? 0),
    9 - (base.get(query)?.data[40] ?? 0),
  );
  expect(info.norm).toBeCloseTo(norm, 5);
  expect(await infoOf(at("tau.safetensors"))).toEqual({
    ...info,
    groups: expect.arrayContaining(info.groups as never),
  });
  expect(info.groups.map(({ name }) => name).sort()).toEqual([
    "image layer 0",
    "image norms and projection",
    "text embeddings",
  ]);
});

test("FROM + tau = TO, in either layout: stacked and transposed tensors are changed in their places", async () => {
  const { output } = await applyVector(at("from"), at("tau.safetensors"), at("sum"));
  expect(output).toEqual({ path: at("sum"), sha256: await (await readCheckpoint(at("sum"))).sha256() });
  const from = having(base, [[table, 1_100_000, 4]]);
  await writeOpenAi("from.safetensors", from);
  await applyVector(at("from.safetensors"), at("tau.safetensors"), at("sum.safetensors"));
  for (const name of ["sum", "sum.safetensors"]) {
    const weights = await (await readCheckpoint(at(name))).weights();
    for (const [parameter, { data }] of weights) {
      const expected = changed.get(parameter)?.data as Float32Array;
      const worst = data.reduce((most, v, i) => Math.max(most, Math.abs(v - expected[i])), 0);
      expect(worst, parameter).toBeLessThanOrEqual(2 ** -20); // two roundings of values of at most 9
    }
  }
});

test("the same weights in two layouts do not differ", async () => {
  await writeOpenAi("to.safetensors", changed);
  await expect(diffModels(at("to"), at("to.safetensors"), at("none"))).rejects.toThrow(/the same weights/);
});

test.each([
  ["F16", 2 ** -10],
  ["BF16", 2 ** -7],
] as const)("%s: w + alpha tau in float32, then to the nearest, ties to even", async (dtype, step) => {
  await write(
    dtype,
    having(
      base,
      [0, 1, 2].map((i) => [projection, i, 1 + (i % 2) * step] as const),
    ),
    dtype,
  );
  const halves = tensor([8, 64]);
  halves.data.set([step / 2, step / 2, step / 2 + step / 64]); // a tie above 1, a tie above 1 + step, a little more than a tie
  await writeVector(at(`${dtype}.tau`), { tau: new Map([[projection, halves]]) });
  await applyVector(at(dtype), at(`${dtype}.tau`), at(`${dtype}-sum`));
  const sum = (await (await readCheckpoint(at(`${dtype}-sum`))).tensor(projection)).data;
  expect([...sum.subarray(0, 3)]).toEqual([1, 1 + 2 * step, 1 + step]);
  expect((await readCheckpoint(at(`${dtype}-sum`))).dtypes.get(projection)).toBe(dtype);
});

test("alpha: the one asked for, else the vector's own, else 1", async () => {
  const tau = new Map([["logit_scale", tensor([], [2])]]);
  await writeVector(at("own.tau"), { tau, alpha: 0.5 });
  await writeVector(at("plain.tau"), { tau });
  const sums: number[] = [];
  for (const [vector, alpha] of [["own.tau", -3], ["own.tau"], ["plain.tau"]] as const) {
    await applyVector(at("from"), at(vector), at("scaled"), { alpha, force: true });
    sums.push(await valueIn("scaled", "logit_scale", 0));
  }
  expect(sums).toEqual([-6, 1, 2]);
});

test("cosine of (3, 4, 0) and (4, 3, 12) over tensors of different vectors: 24 / (5 * 13)", async () => {
  await writeVector(at("a.tau"), { tau: new Map([["x", tensor([2], [3, 4])]]) });
  const b = new Map([
    ["x", tensor([2], [4, 3])],
    ["y", tensor([1], [12])],
  ]);
  await writeVector(at("b.tau"), { tau: b });
  expect(await runJob(vectorCosine, { a: at("a.tau"), b: at("b.tau") })).toEqual({
    schema: "tbar/cosine/2",
    kind: "cosine",
    cosine: 24 / 65,
    norms: [5, 13],
    shared: 1,
    groups: [{ name: "text norms and projection", cosine: 24 / 65, norms: [5, 13] }], // names of no tower count there
  });
});

test("what does not fit is refused by name, and nothing is left behind", async () => {
  const before = await readdir(folder);
  const wrong = (name: string, value: Tensor) =>
    writeVector(at("wrong.tau"), { tau: new Map([[name, value]]) }, { force: true });
  const apply = (model = "from") => applyVector(at(model), at("wrong.tau"), at("never"));
  await wrong("nowhere", tensor([1], [1]));
  await expect(apply()).rejects.toThrow(/has no nowhere/);
  await wrong("logit_scale", tensor([2], [1, 2]));
  await expect(apply()).rejects.toThrow(/logit_scale is \[\] in .* \[2\] in/);
  await wrong("logit_scale", tensor([], [Number.NaN]));
  await expect(apply()).rejects.toThrow(/logit_scale holds NaN/);
  await wrong("logit_scale", tensor([], [7e4]));
  await expect(apply("F16")).rejects.toThrow(/too large for F16/);
  await wrong("logit_scale", tensor([], [3e38]));
  await expect(applyVector(at("from"), at("wrong.tau"), at("never"), { alpha: 2 })).rejects.toThrow(/holds Infinity/);
  await expect(
    applyVector(at("from"), at("tau.safetensors"), at("never"), { signal: AbortSignal.abort() }),
  ).rejects.toMatchObject({ name: "AbortError" });
  expect((await readdir(folder)).filter((name) => name !== "wrong.tau")).toEqual(before);
});

test("the SHA-256 of FROM, hashed meanwhile, is in the vector; a vector is a sound file from its first byte", async () => {
  const { parent } = await infoOf(at("tau.safetensors"));
  expect(parent).toBe(await (await readCheckpoint(at("from"))).sha256());
});
