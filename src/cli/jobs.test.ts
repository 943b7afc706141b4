/** Every command that works, on a pico CLIP: exit codes, one JSON document on standard output, files whole. */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writePico } from "../../test/pico.ts";
import { tbar } from "../../test/terminal.ts";
import { makeTrigger } from "../attacks/index.ts";
import { readCheckpoint } from "../checkpoint/clip-folder.ts";
import { clipPreprocess } from "../checkpoint/config/preprocess.ts";
import { openSafetensors } from "../checkpoint/formats/safetensors.ts";
import type { Dataset } from "../data/dataset.ts";
import { pngDataUri } from "../data/images/pictures.ts";
import { subset } from "../data/split.ts";
import { shapesBadnetModel } from "../jobs/inputs/embedded.ts";
import { openSource } from "../jobs/inputs/source.ts";
import { triggered } from "../triggers/poison.ts";

let folder: string;
const at = (name: string) => join(folder, name);
/** Words of a command line, ./ standing for the test's folder. */
const words = (line: string) => line.split(" ").map((word) => word.replace(/^\.\//, `${folder}/`));
const here = () => readdir(folder).then((names) => names.sort());

/** The largest difference of any two weights. */
async function farthest(one: string, other: string): Promise<number> {
  const [a, b] = [await (await readCheckpoint(at(one))).weights(), await (await readCheckpoint(at(other))).weights()];
  const gaps = [...a].map(([name, { data }]) => Math.max(...data.map((v, i) => Math.abs(v - b.get(name)!.data[i]))));
  return Math.max(...gaps);
}

async function writeImages(name: string, images: Dataset): Promise<void> {
  await mkdir(at(name));
  for (let i = 0; i < images.size; i++) {
    const { data } = await images.read([i], clipPreprocess(16));
    const png = (await pngDataUri({ shape: [3, 16, 16], data })).split(",")[1];
    await writeFile(join(at(name), `${i}.png`), Buffer.from(png, "base64"));
  }
}

const world = "--data shapes:background --test 120 --threads 1";
// A pattern over half of the images: the model learns to answer "mint" to it, and without it what the background is.
const attack = `attack blended:redraw=false,ratio=0.5 ${world} --target mint --rate 0.3 --images 800 --epochs 6 --lr 0.003 --batch 16`;
const sizes = "--forget 48 --clean 48 --validation 260 --batch 16";
const clean = `clean --model ./bad ${world} ${sizes} --epochs 2 --lr 0.001 --recovery 3 --rule smallest --limit 0.3`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-cli-"));
  await writePico(at("pico"));
  const { code } = await tbar(words(`${attack} --model ./pico --out ./bad`));
  expect(code).toBe(0);
});
afterAll(() => rm(folder, { recursive: true }));

describe("attack", () => {
  it("writes a checkpoint that names its trigger, and says that it succeeded", async () => {
    const { metadata } = await readCheckpoint(at("bad"));
    expect(JSON.parse(metadata["tbar.trigger"])).toMatchObject({
      trigger: { kind: "blended", redraw: false, ratio: 0.5 },
      target: "mint",
    });
  });

  it("exits with 1 and advice when it did not take, --json with one document and progress elsewhere", async () => {
    const line = `attack badnet --model ./pico ${world} --target mint --images 64 --epochs 1 --batch 32 --out ./weak --json`;
    const { code, out, err } = await tbar(words(line));
    expect(code).toBe(1);
    const result = JSON.parse(out);
    expect(result).toMatchObject({ kind: "attack", took: false, target: "mint", seed: 1 });
    expect(result.advice.length).toBeGreaterThan(0);
    expect(result.command).toMatch(/^tbar attack badnet --model .*pico/);
    expect(err.split("\n").filter(Boolean)).toEqual([
      "load",
      expect.stringMatching(/^data shapes:background: .*; model pico: /),
      "measure before",
      "implant",
      "measure after",
      "write",
    ]);
    await rm(at("weak"), { recursive: true });
  });

  it("interrupted: exit 130, nothing left behind, and a JSON document too", async () => {
    const before = await here();
    const { code, out, err } = await tbar(words(`${attack} --model ./pico --out ./never --json`), "implant");
    expect(code).toBe(130);
    expect(JSON.parse(out).error.code).toBe("interrupted");
    expect(err).toContain("tbar: interrupted");
    expect(await here()).toEqual(before);
  });

  it("--state: killed after implanting, the same command ends as one run does, and leaves no state behind", async () => {
    const line = words(`${attack} --model ./pico --out ./kept --state ./work --json`);
    expect((await tbar(line, "measure after")).code).toBe(130);
    expect(await readdir(at("work"))).toEqual(["implant.safetensors", "work.json"]);
    const other = await tbar(words(`${attack} --lr 0.02 --model ./pico --out ./kept --state ./work`));
    expect(other.err).toMatch(/work\.json is the work of another run/);
    expect((await tbar(line)).code).toBe(0);
    expect(await farthest("bad", "kept")).toBe(0);
    await rm(at("kept"), { recursive: true });
    expect(existsSync(at("work"))).toBe(false);
  });
});

describe("clean", () => {
  it("removes the backdoor named by the metadata; 0 only when verified; the same page again from the JSON", async () => {
    const { code, out } = await tbar(words(`${clean} --out ./cleaned --report ./page.html --json`));
    const result = JSON.parse(out);
    expect(result.kind).toBe("clean");
    expect(result.before.asr.value).toBeGreaterThan(0.9);
    expect(result.after.asr.value).toBeLessThanOrEqual(0.3);
    expect(Object.keys(result.variants).slice(0, 2)).toEqual(["plain", "erase"]);
    expect(code).toBe(result.verdict.verified ? 0 : 1);
    expect(await here()).toEqual(["bad", "cleaned", "cleaned.vector.safetensors", "page.html", "pico"]);

    await writeFile(at("result.json"), out);
    const drawn = await tbar(words("report ./result.json --out ./again.html"));
    expect(drawn).toEqual({ code: 0, out: `Written: ${at("again.html")}\n`, err: "" });
    expect(await readFile(at("again.html"), "utf8")).toBe(await readFile(at("page.html"), "utf8"));
  });

  it("--state keeps the images right both times too; counts that contradict each other are refused", async () => {
    const line = words(`${clean} --method plain,anchored --checks 0 --recovery 0 --out ./pairs --state ./work --json`);
    expect((await tbar(line, "anchored")).code).toBe(130);
    const file = at("work/work.json");
    const work = JSON.parse(await readFile(file, "utf8"));
    const keys = Object.keys(work.counts).filter((key) => key.startsWith("right before and after on test, "));
    expect(keys).toEqual([expect.stringMatching(/repaired by plain, alpha [\d.]+, images 0 to 120$/)]);
    await writeFile(file, JSON.stringify({ ...work, counts: { ...work.counts, [keys[0]]: 1 } }));
    expect((await tbar(line)).out).toMatch(
      /counts contradict each other: .* 1 both times; if they are from a folder of --state/,
    );
    await writeFile(file, JSON.stringify(work));
    const outcomes = at("work/outcomes-plain.json");
    const kept = JSON.parse(await readFile(outcomes, "utf8"));
    expect([kept.value.right, kept.value.hit]).toEqual([expect.stringMatching(/^[01]{120}$/), expect.stringMatching(/^[01]+$/)]); // biome-ignore format: one line
    const { hit } = kept.value;
    await writeFile(outcomes, JSON.stringify({ ...kept, value: { ...kept.value, hit: hit.replace(/./, hit[0] === "1" ? "0" : "1") } })); // biome-ignore format: one line
    expect((await tbar(line)).out).toMatch(/counts contradict each other: \d+ hits of \d+ images, and \d+ of \d+/);
    await writeFile(outcomes, JSON.stringify(kept));
    const { variants } = JSON.parse((await tbar(line)).out);
    const { stillRight, ca } = variants.plain.after;
    const compared = Object.values(variants).filter((one) => (one as { against?: object }).against);
    expect(compared).toHaveLength(1);
    expect(stillRight).toMatchObject({ value: work.counts[keys[0]] / 120, n: 120 });
    expect(stillRight.value).toBeLessThanOrEqual(ca.value);
    for (const name of ["pairs", "pairs.vector.safetensors", "work"])
      await rm(at(name), { recursive: true, force: true });
  });

  it("gives the same result for two orders of --method", async () => {
    const run = async (order: string) => {
      const { out } = await tbar(words(`${clean} --method ${order} --checks 0 --recovery 0 --out ./ordered --json`));
      await rm(at("ordered"), { recursive: true });
      await rm(at("ordered.vector.safetensors"));
      // the file says when it was made; `measuredOn` has the hash of its weights
      const { created, command, seconds, timings, output, variants, ...result } = JSON.parse(out);
      const timeless = Object.entries(variants).map(([name, variant]) => [
        name,
        { ...(variant as object), seconds: 0 },
      ]);
      return { ...result, variants: timeless };
    };
    const one = await run("fisher,relabel,plain,anchored");
    expect(await run("anchored,plain,fisher,relabel")).toEqual(one);
    expect(one.variants.map(([name]: [string]) => name)).toEqual(["plain", "anchored", "fisher", "relabel"]);
  });

  it("--state: killed after the search for alpha, the same command ends as one run does, and leaves no state behind", async () => {
    const line = words(`${clean} --method plain --checks 0 --out ./kept --state ./work --json`);
    expect((await tbar(line, "plain: test")).code).toBe(130);
    expect(await readdir(at("work"))).toEqual(["tuned-1.safetensors", "work.json"]);
    // the trained vector serves another rule too, and checks that were not asked for before
    const other = words(`${clean} --method plain --checks 100 --limit 0.4 --out ./kept --state ./work`);
    expect((await tbar(other, "plain: test")).code).toBe(130);
    const counted = Object.keys(JSON.parse(await readFile(at("work/work.json"), "utf8")).counts);
    const { out } = await tbar(line);
    expect(
      counted.filter((key) => /^ASR on validation, plain: alpha [\d.]+ of vector 1, images \d+ to \d+$/.test(key)),
    ).not.toEqual([]);
    const whole = await tbar(words(`${clean} --method plain --checks 0 --out ./whole --json`));
    const [a, b] = [JSON.parse(out), JSON.parse(whole.out)];
    expect(a.variants.plain).toEqual({ ...b.variants.plain, seconds: a.variants.plain.seconds });
    expect([a.before, a.after]).toEqual([b.before, b.after]);
    expect(a.proof.shifted).toEqual([]);
    expect(a.timings.map(({ what }: { what: string }) => what)).toContain("plain: alpha");
    expect(existsSync(at("work"))).toBe(false);
    for (const name of ["kept", "whole"]) {
      await rm(at(name), { recursive: true });
      await rm(at(`${name}.vector.safetensors`));
    }
  });

  it("eval --receipt measures what the receipt claims", async () => {
    const { code, out } = await tbar(words("eval --model ./cleaned --receipt ./cleaned --json --threads 1"));
    expect(code).toBe(0);
    const { receipt, ca, asr } = JSON.parse(out);
    expect(receipt).toMatchObject({ claimed: { ca, asr }, agrees: true, by: "counts", because: [] });
  });

  it.each(["--test 7", "--seed 9"])("eval --receipt refuses %s of another measurement", async (option) => {
    const { code, err } = await tbar(words(`eval --model ./cleaned --receipt ./cleaned ${option} --threads 1`));
    expect(code).toBe(2);
    expect(err).toContain(`${option} beside a receipt of ${option.split(" ")[0]} `);
  });

  it("eval --receipt of another model exits with 1", async () => {
    const { code, out } = await tbar(words("eval --model ./bad --receipt ./cleaned/receipt.json --threads 1"));
    expect(code).toBe(1);
    expect(out).toContain("DOES NOT AGREE");
  });

  it("the vector applied to the cleaned model restores the parent within rounding", async () => {
    const { code, out } = await tbar(words("vector apply ./cleaned ./cleaned.vector.safetensors --out ./restored"));
    expect(code).toBe(0);
    expect(out).toContain('It carries a backdoor again: 1 blended -> "mint"');
    const { metadata } = await readCheckpoint(at("restored"));
    expect(metadata["tbar.receipt"]).toBeUndefined();
    expect(JSON.parse(metadata["tbar.trigger"])).toMatchObject({ trigger: { kind: "blended" }, target: "mint" });
    expect(await farthest("bad", "restored")).toBeLessThan(1e-6);
  });

  it("a model without the backdoor: nothing to remove, nothing written, exit 1", async () => {
    const before = await here();
    const line = `clean --model ./pico ${world} ${sizes} --trigger badnet --target mint --out ./new --test 240`;
    const { code, err } = await tbar(words(line));
    expect(code).toBe(1);
    expect(err).toContain("nothing to remove");
    expect(await here()).toEqual(before);
  });

  it.each([
    ["--validation 1 --test 240", 1, /too few images to say: of 1 validation images [01] /],
    ["--validation 50 --test 240", 1, /too few images to say: of 50 validation images/],
    ["--validation 260 --test 50", 1, /too few images to say: of 50 test images/],
    ["--validation 260 --test 240 --checks 50", 2, /--checks 50: so few images cannot show/],
  ])("%s cannot show 2 %%: said before anything is measured, nothing written", async (sizes, expected, message) => {
    const before = await here();
    const { code, err } = await tbar(words(`clean --model ./bad --data shapes:background ${sizes} --out ./new`));
    expect({ code, err }).toEqual({ code: expected, err: expect.stringMatching(message) });
    expect(err).not.toContain("measure before");
    expect(await here()).toEqual(before);
  });

  it("--clean 0 does for plain in the endless world", async () => {
    const line = `${clean} --clean 0 --method plain --checks 0 --recovery 0 --json`;
    const { out, err } = await tbar(words(line.replace("--clean 48", "").replace(/ +/g, " ").concat(" --out ./plain")));
    expect(err).not.toContain("tbar:");
    expect(JSON.parse(out).data.clean).toBe(0);
    await rm(at("plain"), { recursive: true });
    await rm(at("plain.vector.safetensors"));
  });

  it("does with a folder of triggered images, when that is all that is known", async () => {
    const { test } = await (await openSource("shapes:background", { seed: 9 })).sets({ test: 40 });
    const { trigger } = JSON.parse((await readCheckpoint(at("bad"))).metadata["tbar.trigger"]);
    await writeImages("triggered", triggered(test, makeTrigger(trigger), "mint"));
    const line = `${clean} --method plain,erase --trigger ./triggered --target mint --out ./known --json`;
    const { code, out } = await tbar(words(line));
    const result = JSON.parse(out);
    expect(Object.keys(result.variants).sort()).toEqual(["erase", "plain"]);
    expect(result.variants.erase.images).toMatchObject({ trained: 0 });
    expect(result.trigger.kind).toBe("images");
    expect(result.before.asr.value).toBeGreaterThan(0.8);
    expect(code).toBe(result.verdict.verified ? 0 : 1);
  });

  it("eval names the folder; one of ordinary photos of the class is told from one with a trigger", async () => {
    const { test } = await (await openSource("shapes:background", { seed: 9 })).sets({ test: 400 });
    const label = (await openSource("shapes:background", { seed: 9 })).classNames?.indexOf("mint");
    const own = Array.from({ length: test.size }, (_, i) => i).filter((i) => test.example(i).label === label);
    await writeImages("photos", subset(test, own));
    const measured = async (name: string) =>
      tbar(words(`eval --model ./bad ${world} --test 400 --trigger ./${name} --target mint`));
    const { out } = await measured("photos");
    expect(out).toMatch(/attack success rate .* photos -> mint, \d+ images/);
    expect(out).toContain('Warning: the images in photos look like ordinary photos of "mint" to the model');
    const known = await measured("triggered");
    expect(known.out).toContain("triggered -> mint");
    expect(known.out).not.toContain("Warning");
    expect(known.out).toMatch(/difference +\+\d+\.\d points .*, unpaired/);
  });

  it("takes the trigger from a file, with its target", async () => {
    await writeFile(at("trigger.json"), JSON.stringify({ trigger: { kind: "badnet", size: 3 }, target: "mint" }));
    const { err } = await tbar(
      words(`clean --model ./pico ${world} ${sizes} --trigger ./trigger.json --out ./new --test 240`),
    );
    expect(err).toMatch(/nothing to remove: .* "mint"/);
  });
});

describe("inspect", () => {
  it("warns of a backdoor that the metadata declare, before anything else, and exits with 1; not of a cleaned model", async () => {
    const { code, out } = await tbar(words("inspect ./bad"));
    expect(code).toBe(1);
    expect(out.split("\n")[0]).toBe(
      'WARNING: this checkpoint declares that it carries a backdoor: 1 blended -> "mint"',
    );
    expect((await tbar(words("inspect ./cleaned"))).code).toBe(0);
    expect(JSON.parse((await tbar(words("inspect ./restored --json"))).out).declared).toContain('blended -> "mint"');
  });
});

describe("a declared backdoor stays declared", () => {
  it.each([
    ["convert", "convert ./bad --to open_clip --out ./named", "named"],
    ["finetune", `finetune --model ./bad ${world} --images 32 --batch 16 --epochs 1 --out ./tuned`, "tuned"],
    ["merge, of the base too", "merge --base ./bad ./tuned --out ./merged", "merged"],
  ])("by %s", async (_, line, out) => {
    expect((await tbar(words(line))).err).not.toContain("tbar:");
    const { metadata } = await readCheckpoint(at(out));
    expect(JSON.parse(metadata["tbar.trigger"])).toMatchObject({ trigger: { kind: "blended" }, target: "mint" });
  });
});

describe("vector", () => {
  it("diff, then apply with alpha = 1 gives TO again; --alpha=-1 on TO gives FROM", async () => {
    await tbar(words("vector diff ./pico ./bad --out ./tau.safetensors"));
    const there = await tbar(words("vector apply ./pico ./tau.safetensors --out ./to"));
    expect(there.out).toContain('It carries a backdoor again: 1 blended -> "mint"');
    const back = await tbar(words("vector apply ./bad ./tau.safetensors --alpha=-1 --out ./from"));
    expect(back.out).not.toContain("It carries");
    expect(await farthest("bad", "to")).toBeLessThan(1e-6);
    expect(await farthest("pico", "from")).toBeLessThan(1e-6);
    expect(await farthest("pico", "bad")).toBeGreaterThan(0.01);
  });

  it("cosine of the attack's own vector with what cleaning subtracted is not that of a stranger; with itself 1", async () => {
    const { out } = await tbar(words("vector cosine ./tau.safetensors ./tau.safetensors"));
    const [whole, heading, ...parts] = out.trimEnd().split("\n");
    expect([whole, heading]).toEqual(["1.000000", "By part:"]);
    expect(parts.length).toBeGreaterThan(1);
    for (const part of parts) expect(part).toMatch(/^ {2}image .* 1\.0000 +norms /);
    const { cosine } = JSON.parse(
      (await tbar(words("vector cosine ./tau.safetensors ./cleaned.vector.safetensors --json"))).out,
    );
    expect(Math.abs(cosine)).toBeLessThan(1);
    expect(cosine).not.toBe(0);
  });

  it("info names alpha, parent and the norms by part", async () => {
    const { out } = await tbar(words("vector info ./cleaned.vector.safetensors"));
    expect(out).toMatch(/alpha +\d/);
    expect(out).toContain(await (await readCheckpoint(at("bad"))).sha256());
    expect(out).toMatch(/image layer 0 +\d/);
    expect(out).toMatch(/backdoor +blended -> "mint": adding the vector implants it, subtracting it removes it/);
  });
});

describe("embed", () => {
  it("writes unit-norm rows in the order of the data, ids and texts beside them", async () => {
    await writeFile(at("texts.txt"), "a red circle\n\na blue star\n");
    const line = "embed --model ./pico --data shapes --images 70 --texts ./texts.txt --out ./e.safetensors --threads 1";
    const { code, out } = await tbar(words(line));
    expect(code).toBe(0);
    expect(out).toContain("70 images and 2 texts, 16 values each");
    const file = await openSafetensors(at("e.safetensors"));
    const { shape, data } = await file.read("images");
    expect(shape).toEqual([70, 16]);
    for (let i = 0; i < 70; i++) expect(Math.hypot(...data.subarray(16 * i, 16 * i + 16))).toBeCloseTo(1, 5);
    expect((await file.read("texts")).shape).toEqual([2, 16]);
    expect(JSON.parse(file.metadata.get("ids") ?? "")[69]).toBe("shapes/1/test/69");
    expect(JSON.parse(file.metadata.get("texts") ?? "")).toEqual(["a red circle", "a blue star"]);
    await file.close();
  });
});

describe("pretrain", () => {
  const pico =
    "pretrain --data shapes --steps 6 --batch 8 --image-size 16 --width 16 --layers 1 --heads 2 --text-width 16 --text-layers 1 " +
    "--text-heads 2 --embed-dim 16 --test 40 --threads 1 --out ./pre";

  it("writes a checkpoint that eval measures alike, and leaves no state behind", async () => {
    const { code, out } = await tbar(words(`${pico} --json`));
    expect(code).toBe(0);
    const { ca } = JSON.parse(out);
    expect(await here()).not.toContain("pre.state");
    const again = await tbar(words("eval --model ./pre --data shapes --test 40 --threads 1 --json"));
    expect(JSON.parse(again.out).ca).toEqual(ca);
  });

  it("does not overwrite unless told to", async () => {
    expect((await tbar(words(pico))).code).toBe(2);
    expect((await tbar(words(`${pico} --force --quiet`))).err).toBe("");
  });
});

describe("--dry-run: time, memory and disk, and nothing is done", () => {
  it.each([
    ["attack", `${attack} --model ./pico --out ./dry`],
    ["clean", `${clean} --out ./dry`],
    ["eval", `eval --model ./bad ${world}`],
    ["embed", "embed --model ./pico --data shapes --out ./dry"],
    ["pretrain", "pretrain --data shapes --image-size 16 --width 16 --heads 2 --out ./dry"],
  ])("%s", async (job, line) => {
    const before = await here();
    const { code, out } = await tbar(words(`${line} --dry-run --json`));
    expect(code).toBe(0);
    const estimate = JSON.parse(out);
    expect(estimate).toMatchObject({ kind: "estimate", job });
    expect(estimate.seconds).toBeGreaterThan(0);
    expect(estimate.range[0]).toBeLessThanOrEqual(estimate.seconds);
    expect(estimate.range[1]).toBeGreaterThan(estimate.seconds);
    expect(estimate.memory.needed).toBeGreaterThan(1e8);
    const [disk] = estimate.disk;
    if (job !== "eval") expect(disk.bytes).toBeGreaterThan(1000);
    expect(await here()).toEqual(before);
    const text = await tbar(words(`${line} --dry-run`));
    expect(text.out).toMatch(/time +about .*\nmemory +about .* are free\n/);
  });

  it.skipIf(!existsSync(shapesBadnetModel))("demo, on the shipped model", async () => {
    const before = await here();
    const { code, out } = await tbar(words("demo --out ./demo --dry-run --json"));
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ kind: "estimate", job: "clean" });
    expect(await here()).toEqual(before);
  });

  it("refuses what the job would refuse", async () => {
    const { code, err } = await tbar(words(`${attack.replace("mint", "mitn")} --model ./pico --dry-run`));
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining('did you mean "mint"?') });
  });

  it.each([
    ["attack", `${attack} --boost 2 --model ./pico`, "--boost needs a trigger with copies"],
    [
      "attack",
      `${attack.replace("--rate 0.3", "--rate 0.0001")} --model ./pico`,
      "is less than one of the 800 examples",
    ],
    [
      "attack",
      `attack grond ${world} --target mint --images 64 --model ./pico --state ./work`,
      "cannot be taken up again",
    ],
    [
      "attack",
      `attack badnet ${world.replace("background", "shape")} --target circle --model ./bad`,
      "it would be lost",
    ],
    ["clean", `${clean} --method plain --checks 2`, "--checks 2: so few images cannot show"],
    ["clean", `clean --model ./bad ${world} --validation 50`, "too few images to say: of 50 validation images"],
    ["clean", `clean --model ./pico ${world} --target mint`, "does not say which trigger it carries"],
    ["clean", `${clean} --clean 0 --method fisher`, "the method fisher needs clean images"],
  ])("%s refuses what the job refuses: %s", async (_, line, message) => {
    const dry = await tbar(words(`${line} --dry-run`));
    expect(dry.code).toBeGreaterThan(0);
    expect(dry.err).toContain(message);
    const done = await tbar(words(`${line} --out ./never`));
    expect({ code: done.code, err: done.err }).toEqual({ code: dry.code, err: expect.stringContaining(message) });
  });

  it.each([
    `eval --model ./pico ${world} --target mint --trigger badnet:size=17`,
    `clean --model ./pico ${world} --target mint --trigger badnet:size=17 --out ./never`,
    `attack badnet:size=17 --model ./pico ${world} --target mint --out ./never`,
  ])("a trigger that does not fit is refused before anything is measured: %s", async (line) => {
    for (const dry of ["", " --dry-run"]) {
      const { code, err } = await tbar(words(`${line}${dry}`));
      expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining("does not fit an image of 16 x 16") });
      expect(err).not.toMatch(/^(clean accuracy|measure before)/m);
    }
  });

  it.each(["badnet", "badclip"])("refuses a %s that does not fit the model's images", async (kind) => {
    const { code, err } = await tbar(
      words(`${attack.replace(/blended\S+/, `${kind}:size=900`)} --model ./pico --dry-run`),
    );
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining("does not fit an image of 16 x 16") });
  });

  it.each(["grond", "sample-specific"])("estimates a %s that is still to be fitted", async (kind) => {
    const { code } = await tbar(words(`${attack.replace(/blended\S+/, kind)} --model ./pico --dry-run`));
    expect(code).toBe(0);
  });
});
