/** Maps on a pico CLIP: vectors made and given, work taken up again, the page. */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseHTML } from "linkedom";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writePico } from "../../../test/pico.ts";
import { attackNamed, attacks } from "../../attacks/index.ts";
import { xiText } from "../../cli/views/xi.ts";
import type { XiResult } from "../../results/xi.ts";
import { attack } from "../attack/job.ts";
import { finetune } from "../finetune/job.ts";
import { report } from "../report/job.ts";
import { planJob, runJob } from "../run-job.ts";
import { vectorDiff } from "../vector/job.ts";
import { xi } from "./job.ts";

let folder: string;
let made: XiResult;
const at = (name: string) => join(folder, name);
const data = { data: "shapes:background", threads: 1 } as const;
const few = { ...data, images: 320, triggered: 96, testImages: 60, recipe: { lr: 0.005, epochs: 2 }, reach: 1, step: 0.5 }; // biome-ignore format: one line
const asked = () => ({ ...few, origin: at("pico"), trigger: "blended:redraw=false,ratio=0.5", target: "mint" });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-xi-"));
  await writePico(at("pico"));
  const { images, recipe } = few;
  await runJob(finetune, { ...data, model: at("pico"), images, testImages: 60, recipe, out: at("tuned") });
  const told = { trigger: asked().trigger, target: "mint", rate: 0.3 };
  await runJob(attack, { ...data, ...told, model: at("pico"), images, testImages: 60, recipe, out: at("bad") });
  await runJob(vectorDiff, { from: at("pico"), to: at("tuned"), out: at("tau_c.safetensors") });
  made = await runJob(xi, { ...asked(), report: at("map.html") });
}, 60_000);
afterAll(() => rm(folder, { recursive: true }));

test("at theta_0 nothing is disagreed on; on an axis one of the two sums is zero", () => {
  const { alphas, counts, origin, together, images } = made;
  expect(alphas).toEqual([-1, -0.5, 0, 0.5, 1]);
  expect(origin).toMatchObject({ alphas: [0, 0], value: 0 });
  for (const i of alphas.keys()) expect([counts.clean[i][2], counts.triggered[2][i]]).toEqual([0, 0]);
  const [clean, triggered] = [counts.clean[4][4] / images.clean, counts.triggered[4][4] / images.triggered];
  expect(together?.value).toBeCloseTo(clean + triggered, 12);
  expect(together?.value).toBeGreaterThan(0);
  expect(made.xi[4][4]).toBe(together?.value);
  expect(images.clean).toBe(60);
  expect(images.triggered).toBeLessThan(60); // those of the target are left out
});

test("tau_c made here is that of tbar finetune, from its checkpoint or a vector file alike", async () => {
  const fromModel = await runJob(xi, { ...asked(), cleanModel: at("tuned") });
  const fromFile = await runJob(xi, { ...asked(), cleanVector: at("tau_c.safetensors") });
  for (const one of [fromModel, fromFile]) {
    expect(one.counts).toEqual(made.counts);
    expect(one.vectors.clean).toMatchObject({ norm: expect.closeTo(made.vectors.clean.norm, 5) });
    expect(one.vectors.cosine).toBeCloseTo(made.vectors.cosine, 5);
  }
  expect(made.vectors.clean).toMatchObject({ images: 320, recipe: { lr: 0.005 } });
  expect(fromFile.vectors.clean.images).toBeUndefined();
});

test("with the difference, theta_0 + tau_c + tau_t is the backdoored model; its trigger and target are taken from it", async () => {
  const { trigger: _, target: __, ...rest } = asked();
  const found = await runJob(xi, { ...rest, model: at("bad"), cleanModel: at("tuned"), triggerFrom: "difference" });
  expect(found).toMatchObject({ trigger: { kind: "blended" }, target: "mint", backdoored: { path: "bad" } });
  const whole = await runJob(xi, { ...rest, model: at("bad"), cleanModel: at("bad"), triggerVector: at("tau_c.safetensors"), }); // biome-ignore format: one line
  // (1, 0) there is the backdoored model: same clean images, same answers
  expect(found.together?.ca).toEqual(ratesOn(whole, 4, 2));
});

const ratesOn = ({ counts, images }: XiResult, c: number, t: number) =>
  expect.objectContaining({ value: counts.right[c][t] / images.clean });

test("a job that is aborted is taken up from its state, and comes to the same", async () => {
  const state = at("state");
  const stop = new AbortController();
  const progress = { stage: () => {}, step: (done: number, total: number) => void (total === 25 && done === 9 && stop.abort()) }; // biome-ignore format: one line
  await expect(runJob(xi, { ...asked(), state }, { progress, signal: stop.signal })).rejects.toThrow();
  const { counts } = JSON.parse(await readFile(join(state, "work.json"), "utf8"));
  expect(Object.keys(counts)).toHaveLength(9 * 4);
  const rest = await runJob(xi, { ...asked(), state });
  const plain = ({ created, seconds, timings, ...result }: XiResult) => JSON.stringify(result);
  expect(plain(rest)).toBe(plain(made));
  expect(existsSync(state)).toBe(false);
});

test("the page: figures, three maps with an outline, cosines by layer; drawn again from the JSON it is the same", async () => {
  const page = await readFile(at("map.html"), "utf8");
  const { document } = parseHTML(page);
  expect(document.querySelectorAll("svg.map")).toHaveLength(3);
  expect(document.querySelectorAll("svg.map.xi .cells rect")).toHaveLength(25);
  expect(document.querySelector("svg.map.xi .cells rect title")?.textContent).toMatch(/^α_c −1, α_t −1: ξ \d/);
  expect(document.querySelector("svg.map.xi .region")?.getAttribute("d")).toMatch(/^M/);
  expect(document.querySelectorAll(".numbers td.inside")).toHaveLength(made.region.points);
  await writeFile(at("map.json"), JSON.stringify(made));
  await runJob(report, { result: at("map.json"), out: at("again.html") });
  expect(await readFile(at("again.html"), "utf8")).toBe(page);
  const bent = structuredClone(made) as unknown as { counts: { clean: number[][] } };
  bent.counts.clean[0][0] += 1;
  await writeFile(at("bent.json"), JSON.stringify(bent));
  await expect(runJob(report, { result: at("bent.json"), out: at("bent.html") })).rejects.toThrow(/does not fit together: (xi at -1, -1|clean)/); // biome-ignore format: one line
});

test("for eyes: both vectors, the places, the region, a map in characters", () => {
  const text = xiText(made);
  expect(text).toMatch(/^tau_c +theta_0 fine-tuned on clean images +norm/);
  expect(text).toContain("trigger's subtracted (1, -1)");
  expect(text.split("\n").filter((line) => /^ {2}[o.:+#]( [o.:+#]){4} /.test(line))).toHaveLength(5);
});

test("what cannot be is refused before anything is trained", async () => {
  const refusal = (more: object) => runJob(xi, { ...asked(), ...more } as never).catch((error) => error.message);
  expect(await refusal({ trigger: undefined })).toMatch(/does not say which trigger it carries/);
  expect(await refusal({ cleanModel: at("tuned"), cleanVector: "x" })).toMatch(/both say what tau_c is/);
  expect(await refusal({ triggerFrom: "difference" })).toMatch(/name it with --model/);
  expect(await refusal({ model: at("bad"), triggerFrom: "difference", triggerVector: "x" })).toMatch(/both say what tau_t is/); // biome-ignore format: one line
  await mkdir(at("photos"));
  await sharp({ create: { width: 16, height: 16, channels: 3, background: "#a04020" } })
    .png()
    .toFile(at("photos/1.png"));
  expect(await refusal({ trigger: at("photos") })).toMatch(/a map needs a trigger/);
  expect(await refusal({ target: "nothing" })).toMatch(/unknown target class/);
  expect(await refusal({ cleanModel: at("pico") })).toMatch(/tau_c .* changes nothing of the image tower/);
});

test("--dry-run counts both trainings and every model of the grid", async () => {
  const { parts } = await planJob(xi, asked());
  expect(parts.map(({ what }) => what)).toEqual(["load", "tau_c", "tau_t", "grid"]);
  const given = await planJob(xi, { ...asked(), cleanModel: at("tuned") });
  expect(given.parts.map(({ what }) => what)).toEqual(["load", "tau_t", "grid"]);
});

/** Those that fit their trigger to the model are told by a checkpoint that carries it; no text can be read in 16 x 16 pixels. */
const drawn = attacks.filter(({ name, fit }) => fit === undefined && name !== "text" && name !== "picture");
test.each([...drawn.map(({ name }) => name), "badclip"])("of %s there is a map", async (name) => {
  const quick = { images: 64, triggered: 32, testImages: 20, step: 1, recipe: { lr: 0.005, epochs: 1 } };
  const { trigger: _, ...rest } = { ...asked(), ...quick, cleanModel: at("tuned") };
  const fits = attackNamed(name).fit !== undefined;
  if (fits) {
    const { target, images, recipe } = { ...asked(), ...quick };
    const trigger = `${name}:size=4,steps=2,batch=8`;
    await runJob(attack, { ...data, model: at("pico"), trigger, target, images, testImages: 20, recipe, rate: 0.1, out: at(name) }); // biome-ignore format: one line
  }
  const { counts, trigger } = await runJob(xi, { ...rest, ...(fits ? { model: at(name) } : { trigger: name }) });
  expect(trigger.kind).toBe(name);
  expect(counts.clean).toHaveLength(3);
});
