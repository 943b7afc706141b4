/** tbar finetune and tbar merge on a pico CLIP: what is written, what is refused. */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writePico } from "../../test/pico.ts";
import { tbar } from "../../test/terminal.ts";
import { taskArithmetic, ties } from "../arithmetic/merge.ts";
import { norm, taskVector } from "../arithmetic/task-vector.ts";
import { readCheckpoint } from "../checkpoint/clip-folder.ts";
import { writeCheckpoint } from "../checkpoint/write-checkpoint.ts";
import { finetuneSpec } from "../jobs/finetune/spec.ts";
import type { Weights } from "../tensor/tensor.ts";

let folder: string;
const at = (name: string) => join(folder, name);
const words = (line: string) => line.split(" ").map((word) => word.replace(/^\.\//, `${folder}/`));
const here = () => readdir(folder).then((names) => names.sort());
const weightsOf = async (name: string) => (await readCheckpoint(at(name))).weights();

const world = "--test 100 --threads 1";
const training = "--images 64 --epochs 2 --batch 16 --lr 0.003";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-merge-"));
  await writePico(at("pico"));
  for (const task of ["texture", "background"]) {
    const line = `finetune --model ./pico --data shapes:${task} ${world} ${training} --out ./${task}`;
    expect((await tbar(words(line))).code).toBe(0);
  }
});
afterAll(() => rm(folder, { recursive: true }));

/** The largest difference of any two values. */
function gap(a: Weights, b: Weights): number {
  return Math.max(
    ...[...a].map(([name, { data }]) => Math.max(...data.map((v, i) => Math.abs(v - b.get(name)!.data[i])))),
  );
}

describe("finetune", () => {
  it("reports accuracy before and after as eval measures it, and records how the checkpoint was made", async () => {
    const line = `finetune --model ./pico --data shapes:texture ${world} --images 400 --epochs 4 --batch 16 --lr 0.01 --out ./learned --json`;
    const { code, out, err } = await tbar(words(line));
    expect(code).toBe(0);
    const result = JSON.parse(out);
    expect(result).toMatchObject({
      kind: "finetune",
      seed: 1,
      images: 400,
      recipe: { lr: 0.01, epochs: 4, batch: 16 },
    });
    expect(err.split("\n").filter(Boolean)).toEqual([
      "load",
      expect.stringMatching(/^data shapes:texture: .*; model pico: /),
      "measure before",
      "fine-tune",
      "measure after",
      "write",
    ]);
    const evaluate = async (model: string) =>
      JSON.parse((await tbar(words(`eval --model ./${model} --data shapes:texture ${world} --json`))).out).ca;
    expect(result.before).toEqual(await evaluate("pico"));
    expect(result.after).toEqual(await evaluate("learned"));
    expect(result.after.value).toBeGreaterThan(result.before.value);
    const { metadata } = await readCheckpoint(at("learned"));
    const { sha256 } = result.model;
    expect(JSON.parse(metadata["tbar.finetune"])).toMatchObject({
      parent: sha256,
      data: "shapes:texture",
      images: 400,
    });
    await rm(at("learned"), { recursive: true });
  });

  it("changes the image tower and nothing else", async () => {
    const tau = taskVector(await weightsOf("pico"), await weightsOf("texture"));
    expect([...tau.keys()].every((name) => name.startsWith("vision") || name.startsWith("visual"))).toBe(true);
    expect(tau.size).toBeGreaterThan(10);
  });

  it("states the defaults that the job has", async () => {
    const help = (await tbar(["finetune", "--help"])).out.replace(/\s+/g, " ");
    const { recipe, images, testImages } = finetuneSpec.parse({ model: "any", data: "any" });
    const all = { images, test: testImages, "weight-decay": recipe.weightDecay };
    for (const [name, value] of Object.entries(all)) {
      const [, found] = new RegExp(`--${name} <.*?\\(default: "?([^)"]*)"?\\)`).exec(help)!;
      expect([name, Number(found)]).toEqual([name, value]);
    }
  });
});

describe("merge", () => {
  const children = async () => {
    const base = await weightsOf("pico");
    const vectors = [taskVector(base, await weightsOf("texture")), taskVector(base, await weightsOf("background"))];
    return { base, vectors };
  };

  it("writes theta_0 + 0.3 sum tau_t, piece by piece, and says what was merged", async () => {
    const { code, out } = await tbar(words("merge --base ./pico ./texture ./background --out ./sum --json"));
    expect(code).toBe(0);
    const { base, vectors } = await children();
    expect(gap(await weightsOf("sum"), taskArithmetic(base, vectors, 0.3))).toBe(0);
    const result = JSON.parse(out);
    expect(result).toMatchObject({ kind: "merge", settings: { method: "task-arithmetic", lambda: 0.3 } });
    const { metadata, sha256 } = await readCheckpoint(at("sum"));
    expect(result.output.sha256).toBe(await sha256());
    const { settings, base: parent, models } = result;
    expect(models.map(({ norm }: { norm: number }) => norm)).toEqual(
      vectors.map((tau) => expect.closeTo(norm(tau), 5)),
    );
    const said = JSON.parse(metadata["tbar.merge"]);
    expect({ ...said, models }).toEqual({ settings, base: parent, models });
    expect(models).toEqual(said.models.map((model: object) => expect.objectContaining(model)));
    expect(parent.sha256).toBe(await (await readCheckpoint(at("pico"))).sha256());
    expect(metadata["tbar.finetune"]).toBeUndefined();
  });

  it("TIES trims over the whole vector, though pieces are merged one by one", async () => {
    const { base, vectors } = await children();
    await tbar(words("merge --base ./pico --method ties ./texture ./background --out ./ties"));
    expect(gap(await weightsOf("ties"), ties(base, vectors))).toBe(0);
    await tbar(
      words(
        "merge --base ./pico --method ties --density 0.5 --lambda 0.3 --combine sum ./texture ./background --out ./ties2",
      ),
    );
    const expected = ties(base, vectors, { density: 0.5, lambda: 0.3, combine: "sum" });
    expect(gap(await weightsOf("ties2"), expected)).toBe(0);
    expect(gap(await weightsOf("ties"), await weightsOf("ties2"))).toBeGreaterThan(0);
  });

  it("names the backdoor that a model says it carries", async () => {
    const like = await readCheckpoint(at("background"));
    const trigger = { trigger: { kind: "badnet", size: 3 }, target: "red circle" };
    const metadata = { "tbar.trigger": JSON.stringify(trigger) };
    await writeCheckpoint(at("bad"), { like, weights: new Map(), metadata });
    const { out } = await tbar(words("merge --base ./pico ./texture ./bad --out ./carrier"));
    expect(out).toContain('bad says that it carries badnet -> "red circle"');
    expect(JSON.parse((await readCheckpoint(at("carrier"))).metadata["tbar.trigger"])).toEqual(trigger);
  });

  it("interrupted: exit 130, nothing left behind", async () => {
    const before = await here();
    const line = "merge --base ./pico --method ties ./texture ./background --out ./never";
    expect((await tbar(words(line), "trim")).code).toBe(130);
    expect(await here()).toEqual(before);
  });
});

describe("both", () => {
  it.each([
    ["finetune", `finetune --model ./pico --data shapes:texture ${world} --out ./dry`],
    ["merge", "merge --base ./pico --method ties ./texture ./background --out ./dry"],
  ])("%s --dry-run: time, memory and disk, and nothing is done", async (job, line) => {
    const before = await here();
    const { code, out } = await tbar(words(`${line} --dry-run --json`));
    expect(code).toBe(0);
    const estimate = JSON.parse(out);
    expect(estimate).toMatchObject({ kind: "estimate", job });
    expect(estimate.seconds).toBeGreaterThan(0);
    expect(estimate.memory.needed).toBeGreaterThan(1e8);
    expect(estimate.disk[0].bytes).toBeGreaterThan(1000);
    expect(await here()).toEqual(before);
  });

  it.each(["finetune", "merge"])("help of %s teaches: a paragraph, examples, exit codes", async (name) => {
    const { code, out } = await tbar([name, "--help"]);
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`Examples:\n[\\s\\S]*\\$ tbar ${name} `));
    expect(out).toContain("Exit codes:");
  });

  it.each([
    ["merge", "missing required argument 'models'"],
    ["merge ./texture --out ./new", "--base is missing: which checkpoint"],
    ["merge --base ./pico ./texture", "--out is missing: where"],
    ["merge --base ./pico ./texture --out ./texture", "exists already"],
    ["merge --base ./pico ./texture ./nope --out ./new", "there is no file or folder"],
    ["merge --base ./pico ./texture ./pico --out ./new", "pico: there is nothing to merge of it"],
    ["merge --base ./pico ./texture --out ./new --method tie", 'unknown method "tie"; did you mean "ties"?'],
    ["merge --base ./pico ./texture --out ./new --density 0.2", "--density belongs to --method ties"],
    ["merge --base ./pico ./texture --out ./new --combine sum", "--combine belongs to --method ties"],
    [
      "merge --base ./pico ./texture --out ./new --method ties --density 0",
      "It must be a number, above 0 and at most 1.",
    ],
    ["merge --base ./pico ./texture --out ./new --lambda much", "It must be a number."],
    ["merge --base shapes ./texture --out ./new", /embedding.* is \[.*\] in .* and \[.*\] in .*texture; only models/],
    ["finetune --data shapes:texture --out ./new", "--model is missing"],
    ["finetune --model ./pico --out ./new", "--data is missing"],
    ["finetune --model ./pico --data shapes:texture", "--out is missing: where"],
    ["finetune --model ./pico --data shapes:textur --out ./new", 'did you mean "texture"?'],
    ["finetune --model ./pico --data shapes --out ./pico", "exists already"],
    ["finetune --model ./pico --data shapes --out ./new --weight-decay -1", "It must be a number, 0 or more."],
  ])("tbar %s: exit 2 and a sentence, nothing left behind", async (line, message) => {
    const before = await here();
    const { code, err } = await tbar(words(line));
    expect(err).toMatch(typeof message === "string" ? new RegExp(message.replace(/[?[\]().]/g, "\\$&")) : message);
    expect(code).toBe(2);
    expect(await here()).toEqual(before);
  });
});
