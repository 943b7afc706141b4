/** Every defense on a model so small that it takes seconds: equal terms, any of them may be chosen, and what each took is counted. */
import { expect, test } from "vitest";
import { backdooredFolder, world } from "../../../test/backdoored-pico.ts";
import { readCheckpoint } from "../../checkpoint/clip-folder.ts";
import { defenseNames } from "../../defenses/index.ts";
import { planJob, runJob } from "../run-job.ts";
import { clean } from "./job.ts";

const at = backdooredFolder();

const cleaning = {
  ...world,
  recipe: { lr: 1e-3, epochs: 2, batch: 16 },
  sizes: { forget: 48, clean: 48, validation: 240, test: 240 },
  ...{ recovery: 0, checks: 0, rule: "difference" },
};

const some = ["plain", "relabel", "projection", "invertune", "cleanclip", "roclip", "par"];

test("each has its knob, its curve and its bill, and validation chooses whatever the name", async () => {
  const { variants, method } = await runJob(clean, { ...cleaning, model: at("bad"), methods: some });
  expect(Object.keys(variants)).toEqual(some);
  for (const [name, { trials, images, knob, alpha }] of Object.entries(variants)) {
    expect(trials.length, name).toBeGreaterThan(1);
    expect(
      trials.map((trial) => trial.alpha),
      name,
    ).toContain(alpha);
    expect(images?.encoded, name).toBeGreaterThan(0);
    expect(images?.data, name).toBeGreaterThan(0);
    expect(["alpha", "lr", "share"], name).toContain(knob);
  }
  const gain = (name: string) => variants[name].validation.ca.value - variants[name].validation.asr.value;
  expect(variants[method].chosen).toBe(true);
  const { plain, relabel, ...others } = variants;
  expect(plain.images).toMatchObject({ trained: 2 * plain.images!.data }); // two rounds of the forget set
  expect(relabel.images?.trained).toBe(4 * plain.images!.data); // with and without the trigger
  expect(others.projection.images?.trained).toBe(0);
  expect(gain(method)).toBeGreaterThan(0.2);
  // plain is the only variant of TBAR's among them: all others are set beside it, image by image
  expect(plain.against).toBeUndefined();
  for (const [name, { after, against }] of Object.entries({ relabel, ...others })) {
    expect(against?.method, name).toBe("plain");
    for (const kind of ["ca", "asr"] as const) {
      const { value, n, paired, alone, interval } = against![kind];
      const [first, second] = alone!;
      expect([paired, n], name).toEqual([true, plain.after[kind].n]);
      expect(value, name).toBeCloseTo(after[kind].value - plain.after[kind].value, 12);
      expect(first - second, name).toBe(Math.round(value * n));
      expect(interval[0] <= value && value <= interval[1], name).toBe(true);
    }
  }
}, 120_000);

test("a rival named alone is written, with a vector that undoes it", async () => {
  const spec = {
    ...cleaning,
    model: at("bad"),
    methods: ["clean-finetune"],
    out: at("cleaned"),
    report: at("page.html"),
  };
  const { method, variants, proof } = await runJob(clean, spec);
  expect([method, variants["clean-finetune"].knob]).toEqual(["clean-finetune", "lr"]);
  expect(proof.restore).toBeLessThanOrEqual(2);
}, 60_000);

test.each(["classification", "contrastive"] as const)(
  "%s: of the file erase changes linear maps of the image tower that read what is as wide as it, and trains on nothing",
  async (objective) => {
    const recipe = { ...cleaning.recipe, objective };
    const out = at(`erase-${objective}`);
    const { variants } = await runJob(clean, { ...cleaning, recipe, model: at("bad"), methods: ["erase"], out });
    expect(variants.erase.images?.trained).toBe(0);
    expect([10, 100]).toContain(variants.erase.settings.lambda);
    const [before, after] = [await weightsOf(at("bad")), await weightsOf(out)];
    const changed = [...before].filter(([of, { data }]) => data.some((v, i) => v !== after.get(of)?.data[i]));
    const maps =
      /^vision_model\.encoder\.layers\.\d\.(self_attn\.(q|k|v|out)_proj|mlp\.fc1)\.(weight|bias)$|^visual_projection\.weight$/;
    expect(changed.map(([of]) => of).filter((of) => !maps.test(of))).toEqual([]);
    expect(changed.length).toBeGreaterThan(5);
  },
  60_000,
);

test("regressed: one training, plain's own, and the moments that erase asks for too are counted once", async () => {
  const methods = ["plain", "erase", "regressed"];
  const { variants } = await runJob(clean, { ...cleaning, model: at("bad"), methods });
  expect(variants.regressed.images?.trained).toBe(variants.plain.images?.trained);
  expect(variants.regressed.images!.encoded).toBeLessThan(variants.erase.images!.encoded);
}, 60_000);

test("where pairs are learned with both towers, rivals train both too; few isolated images make a small batch", async () => {
  const recipe = { ...cleaning.recipe, objective: "contrastive", train: "both" } as const;
  const spec = { ...cleaning, recipe, model: at("bad"), out: at("both") };
  const { variants } = await runJob(clean, { ...spec, methods: ["cleanclip"] });
  expect(variants.cleanclip.trials.length).toBeGreaterThan(1);
  const [before, after] = [
    await (await readCheckpoint(at("bad"))).weights(),
    await (await readCheckpoint(at("both"))).weights(),
  ];
  const moved = (name: string) => before.get(name)?.data.some((v, i) => v !== after.get(name)?.data[i]);
  expect(["visual_projection.weight", "text_projection.weight", "logit_scale"].map(moved)).toEqual([true, true, true]);
  const { out: _, ...unwritten } = spec;
  const abl = await runJob(clean, { ...unwritten, recipe: { ...recipe, batch: 36 }, methods: ["abl"] });
  expect(abl.variants.abl.settings.isolated).toBe(32);
}, 120_000);

test("--training-data must have an end and the same classes; --dry-run counts trainings of a grid", async () => {
  const spec = { ...cleaning, model: at("bad"), methods: ["abl"] };
  await expect(runJob(clean, { ...spec, trainingData: "shapes" })).rejects.toThrow("the world has no end");
  const { parts } = await planJob(clean, { ...spec, methods: ["all"] });
  expect(parts.map(({ what }) => what)).toEqual(expect.arrayContaining([...defenseNames]));
  expect(parts.map(({ what }) => what)).toEqual(expect.arrayContaining(["abl", "abl: knob", "gradient-ascent: knob"]));
  expect(parts.map(({ what }) => what)).not.toContain("abl: alpha");
});

test("--dry-run: of tbar the time is without those that may not be needed, and says so; the memory is with them", async () => {
  const of = (methods: string[]) => planJob(clean, { ...cleaning, model: at("bad"), methods });
  const [usual, all] = [await of(["tbar"]), await of(["plain", "erase", "anchored", "fisher"])];
  const named = ({ parts }: typeof usual) => parts.map(({ what }) => what.split(":")[0]);
  expect(named(usual)).toEqual(expect.arrayContaining(["plain", "erase"]));
  expect(named(usual)).not.toContain("fisher");
  expect(named(all)).toContain("fisher");
  expect(usual.memory.needed).toBe(all.memory.needed);
  expect(usual.note).toContain("The time is without anchored and fisher");
  expect(all.note).not.toContain("The time is without");
});

const weightsOf = async (path: string) => (await readCheckpoint(path)).weights();
