import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writePico } from "../../test/pico.ts";
import { tbar } from "../../test/terminal.ts";
import { attackNames } from "../attacks/index.ts";
import { defenseNames } from "../defenses/index.ts";
import { attackSpec } from "../jobs/attack/spec.ts";
import { cleanSpec } from "../jobs/clean/spec.ts";
import { pretrainSpec } from "../jobs/pretrain/spec.ts";
import { run } from "./run.ts";

describe("help", () => {
  it("of tbar lists every command, tbar demo first, and the exit codes, on standard output", async () => {
    const { code, out, err } = await tbar(["--help"]);
    expect(code).toBe(0);
    expect(err).toBe("");
    for (const name of [
      "demo",
      "clean",
      "attack",
      "eval",
      "pretrain",
      "finetune",
      "merge",
      "vector",
      "embed",
      "report",
    ]) {
      expect(out).toMatch(new RegExp(`^ {2}${name}\\b`, "m"));
    }
    expect(out).toContain("Try: tbar demo");
    expect(out).toMatch(/0 .*done[\s\S]*1 .*not verified[\s\S]*2 .*bad input[\s\S]*130 .*interrupted/);
  });

  it.each([
    ["demo"],
    ["clean"],
    ["attack"],
    ["eval"],
    ["pretrain"],
    ["embed"],
    ["report"],
    ["vector"],
    ["vector", "diff"],
    ["vector", "apply"],
    ["vector", "info"],
    ["vector", "cosine"],
  ])("of %s %s teaches: a paragraph, examples, exit codes", async (...names) => {
    // biome-ignore format: a list
    const { code, out } = await tbar([...names, "--help"]);
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`Examples:\n[\\s\\S]*\\$ tbar ${names.join(" ")} `));
    expect(out).toContain("Exit codes:");
  });

  it("names every attack and every method", async () => {
    const attack = (await tbar(["attack", "--help"])).out;
    for (const name of attackNames) expect(attack).toMatch(new RegExp(`^ {2}${name} `, "m"));
    const clean = (await tbar(["clean", "--help"])).out;
    for (const name of defenseNames) expect(clean).toMatch(new RegExp(`^ {2}${name} `, "m"));
  });

  it("states the defaults that the jobs have", async () => {
    const defaultOf = (help: string, option: string) => {
      const text = help.replace(/\s+/g, " ");
      return Number(new RegExp(`${option} <.*?\\(default: "?([^)"]*)"?\\)`).exec(text)?.[1]);
    };
    const attack = (await tbar(["attack", "--help"])).out;
    const { rate, images, testImages } = attackSpec.parse({ trigger: "badnet", model: "m", data: "d", target: "t" });
    for (const [name, value] of Object.entries({ rate, images, test: testImages })) {
      expect([name, defaultOf(attack, `--${name}`)]).toEqual([name, value]);
    }
    const clean = (await tbar(["clean", "--help"])).out;
    const { sizes, recovery } = cleanSpec.parse({ model: "m", data: "d" });
    const cleaning = { ...sizes, recovery };
    for (const name of ["forget", "clean", "validation", "test", "recovery"] as const) {
      expect([name, defaultOf(clean, `--${name}`)]).toEqual([name, cleaning[name]]);
    }
    const pretrain = (await tbar(["pretrain", "--help"])).out;
    const { dtype, testImages: test, ...all } = pretrainSpec.parse({ data: "any" });
    const numbers = Object.fromEntries(Object.entries(all).filter(([, value]) => typeof value === "number"));
    expect(Object.keys(numbers).length).toBe(16);
    for (const [name, value] of Object.entries({ ...numbers, test })) {
      const option = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
      expect([name, defaultOf(pretrain, option)]).toEqual([name, value]);
    }
    expect(pretrain).toContain(`(default: "${dtype}")`);
  });

  it("without a command is help on standard error, and exit 2", async () => {
    const { code, out, err } = await tbar([]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain("Usage: tbar");
  });

  it("--version is that of package.json", async () => {
    const { version } = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8"));
    expect(await tbar(["--version"])).toEqual({ code: 0, out: `${version}\n`, err: "" });
  });
});

describe("bad input: exit 2, a sentence that says what would work, nothing left behind", () => {
  let folder: string;
  const at = (name: string) => join(folder, name);
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "tbar-cli-"));
    await writePico(at("pico"));
    await writePico(at("cut"));
    await truncate(at("cut/model.safetensors"), 5000);
    await mkdir(at("empty"));
    await writeFile(at("text.txt"), "hello");
    await writeFile(at("trigger.json"), '{"kind": "badnets"}');
    await writeFile(at("list.json"), "[1, 2]");
    await writeFile(at("result.json"), '{"kind": "clean", "seed": 1}');
  });
  afterAll(() => rm(folder, { recursive: true }));

  const world = "--data shapes:texture";
  const attack = `--model pico ${world} --target striped --out new`;
  it.each([
    ["atack", "unknown command 'atack'; did you mean attack?"],
    ["vector aply", "unknown command 'aply'; did you mean apply?"],
    ["attack badnet --modle pico", "unknown option '--modle'; did you mean --model?"],
    ["attack", "missing required argument 'trigger'"],
    ["eval pico", "too many arguments"],
    [`attack badnet ${world} --target striped --out new`, "--model is missing: which checkpoint?"],
    ["attack badnet --model pico --target striped --out new", "--data is missing: which images?"],
    [`attack badnet --model pico ${world} --out new`, "--target is missing: which class"],
    [`attack badnet --model pico ${world} --target striped`, "--out is missing: where"],
    [`attack badnets ${attack}`, 'unknown attack "badnets"; did you mean "badnet"?'],
    [`attack badnet:sise=3 ${attack}`, 'unknown badnet option "sise"; did you mean "size"?'],
    [`attack badnet:size=17 ${attack}`, "patch of 17 pixels does not fit an image of 16 x 16"],
    [`attack empty ${attack}`, "no images in"],
    [`attack text.txt ${attack}`, "text.txt is not JSON"],
    [`attack list.json ${attack}`, 'should hold {"kind": ...}'],
    [`attack trigger.json ${attack}`, 'unknown attack "badnets"'],
    [`attack ./nope.json ${attack}`, "there is no file or folder"],
    [
      `attack badnet --model pico ${world} --target stripd --out new`,
      'unknown target class "stripd"; did you mean "striped"?',
    ],
    [
      `attack badnet ${attack} --rate 0`,
      "option '--rate <share>' argument '0' is invalid. It must be a number, above 0 and at most 1.",
    ],
    [`attack badnet ${attack} --rate 1.5`, "at most 1"],
    [`attack badnet ${attack} --epochs 2.5`, "It must be a whole number, 1 or more."],
    [`attack badnet ${attack} --test 9007199254740991`, "It must be a whole number, 1 or more and at most 10000000."],
    [`attack badnet ${attack} --epochs 0`, "It must be a whole number, 1 or more."],
    [`attack badnet ${attack} --lr fast`, "It must be a number, above 0."],
    [`attack badnet ${attack} --seed -1`, "It must be a whole number, 0 or more."],
    [`attack badnet ${attack} --device gpu`, 'unknown device "gpu"; did you mean "cpu"?'],
    [`attack badnet ${attack} --device coreml`, "use --device cpu"],
    ["attack badnet --model nope --data shapes --target x --out new", "there is no file or folder"],
    ["attack badnet --model empty --data shapes --target x --out new", "has no model.safetensors"],
    [
      "attack badnet --model text.txt --data shapes --target x --out new",
      "holds no weights that tbar reads; known: .safetensors",
    ],
    ["attack badnet --model cut --data shapes --target x --out new", "is not a sound safetensors file"],
    ["attack badnet --model pico --data nope --target x --out new", "no such file or folder"],
    ["attack badnet --model pico --data empty --target x --out new", "no images in"],
    [
      `attack badnet --model pico ${world} --target striped --out pico`,
      "pico exists already; choose another name or pass --force",
    ],
    [`attack badnet --model pico ${world} --target striped --out no/where`, "there is no folder"],
    [`eval --model pico ${world} --target striped`, 'which trigger leads to "striped"? '],
    [`clean --model pico ${world} --out new`, "name it with --trigger"],
    [`clean --model pico ${world} --trigger badnet --out new`, "name it with --target"],
    [
      `clean --model pico ${world} --trigger badnet --target striped --out new --method fishr`,
      'unknown method "fishr"; did you mean "fisher"?',
    ],
    [`clean --unknown --model pico ${world} --out new --method relabel,ibvs`, "a rival is chosen only if named alone"],
    [
      `clean --model pico ${world} --trigger badnet --target striped --out new --method abl --clean 0`,
      "--training-data",
    ],
    [
      `clean --model pico ${world} --trigger badnet --target striped --out new --rule verifed`,
      'unknown rule "verifed"; did you mean "verified"?',
    ],
    [
      `clean --model pico ${world} --trigger badnet --target striped --out new --rule difference --limit 0.1`,
      "has none",
    ],
    [
      `clean --model pico ${world} --trigger badnet --target striped --out new --report text.txt`,
      "text.txt exists already",
    ],
    [`eval --model pico ${world} --trigger empty --target striped`, "no images in"],
    ["eval --model pico --receipt nope", "there is no receipt"],
    ["eval --model pico --receipt result.json", "is not a receipt of tbar clean"],
    [
      "pretrain --data shapes --out new --patch-size 7 --image-size 48",
      "image size 48 is not a multiple of patch size 7",
    ],
    ["pretrain --data shapes --out new --dtype F8", 'unknown dtype "F8"'],
    ["vector info text.txt", "text.txt is not a safetensors file"],
    ["vector info pico/model.safetensors", "is no task vector; make one with: tbar vector diff"],
    ["vector diff pico pico --out new", "there is no difference to write"],
    ["vector diff pico pico", "--out is missing"],
    ["vector apply pico text.txt --alpha x --out new", "It must be a number."],
    ["report nope.json --out new", "there is no file"],
    ["report text.txt --out new", "text.txt is not JSON"],
    ["report result.json --out new", "is no result of tbar clean --json: tbar: "],
    ["embed --model pico --data shapes --texts nope --out new", "there is no file"],
  ])("tbar %s", async (line, message) => {
    // biome-ignore format: one line each
    const before = await readdir(folder);
    const words = line
      .split(" ")
      .map((word) => (before.includes(word.split("/")[0]) || word === "new" ? at(word) : word));
    const { code, out, err } = await tbar([...words, "--json"]);
    expect(err.replaceAll(`${folder}/`, "")).toContain(message);
    expect(JSON.parse(out).error.message).toContain(message.split(" ")[0]);
    expect(code).toBe(2);
    expect(await readdir(folder)).toEqual(before);
  });

  it.each([
    ["clean", 100, "interrupted; with --state FOLDER the same command would go on from where it was\n"],
    ["clean --state work", 100, "interrupted\n"],
    ["clean", 5, "interrupted\n"],
    ["eval", 100, "interrupted\n"],
  ])("%s, interrupted after %i s: what would have kept the work", async (command, seconds, message) => {
    let said = "";
    let time = 0;
    const signal = AbortSignal.abort();
    const terminal = { out: { write: () => {} }, err: { write: (text: string) => (said += text) }, signal };
    const argv = [...command.split(" "), "--model", at("pico"), "--data", "shapes", ...(command === "eval" ? [] : ["--out", at("new")])]; // biome-ignore format: one line
    const code = await run(argv, terminal, () => (time += 1000 * seconds));
    expect({ code, said }).toEqual({ code: 130, said: `tbar: ${message}` });
  });

  it("shows where an error comes from with --debug", async () => {
    expect((await tbar(["vector", "info", at("text.txt"), "--debug"])).err).toMatch(/\n {4}at .*safetensors/);
  });
});
