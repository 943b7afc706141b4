/** tbar inspect and tbar convert, on files made by hand: what they print, and how they exit. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writePico } from "../../test/pico.ts";
import { tbar } from "../../test/terminal.ts";
import { bytes, pickle, push, tensorOpcodes, torchFile } from "../../test/torch.ts";
import { readCheckpoint } from "../checkpoint/clip-folder.ts";
import { openSafetensors, writeSafetensors } from "../checkpoint/formats/safetensors.ts";
import { officialName } from "../checkpoint/official.ts";

let folder: string;
const at = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-files-"));
  await writePico(at("pico"));
});
afterAll(() => rm(folder, { recursive: true }));

async function file(name: string, content: Uint8Array): Promise<string> {
  await writeFile(at(name), content);
  return at(name);
}

/** One place of a file of text, which must be there, as something else. */
function change(files: Map<string, string>, name: string, from: string, to: string): void {
  const text = files.get(name) as string;
  if (!text.includes(from)) throw new Error(`${name} has no ${from}`);
  files.set(name, text.replace(from, to));
}

const x = tensorOpcodes({ type: "HalfStorage", key: "0", values: 2 }, [2]);
const storages = { "0": new Uint8Array(4) };

describe("inspect", () => {
  it("lists tensors, layout, architecture, dtypes, metadata and the hash of a model; exit 0", async () => {
    const { code, out } = await tbar(["inspect", at("pico")]);
    expect(code).toBe(0);
    const sha256 = createHash("sha256")
      .update(await readFile(at("pico/model.safetensors")))
      .digest("hex");
    expect(out).toContain(`SHA-256           ${sha256}\n`);
    expect(out).toMatch(
      /model +ViT 16\/8, width 16, 1 layers, [\d,]+ parameters\nlayout +Hugging Face's names\nimages +shorter side to 16, .*\nactivation +quick_gelu\nF32 +46 tensors/,
    );
    expect(out).toMatch(/metadata format +pt\n/);
    expect(out).toMatch(/\n {2}visual_projection.weight +F32 +\[16, 16\]\n/);
  });

  it("a sound PyTorch file that is no model: its tensors, why tbar eval refuses it; exit 1", async () => {
    const { code, out } = await tbar([
      "inspect",
      await file("x.pt", torchFile(pickle(push.dict({ x })), storages)),
      "--json",
    ]);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      format: "torch",
      tensors: [{ name: "x", dtype: "F16", shape: [2] }],
      refused: expect.stringContaining("is no CLIP model: its tensors are named x"),
      suspicious: [],
    });
  });

  it("what a pickle would run is named, and not run; exit 1", async () => {
    const evil = push.call("posix", "system", push.text(`touch ${at("pwned")}`));
    const path = await file("evil.pt", torchFile(pickle(push.dict({ x, evil })), storages));
    const { code, out } = await tbar(["inspect", path]);
    expect(code).toBe(1);
    expect(out).toContain('suspicious   data.pkl would import "posix.system"');
    expect(out).toContain('is refused: its pickle would import "posix.system"');
    expect(existsSync(at("pwned"))).toBe(false);
  });

  it.each<[string, Uint8Array, RegExp[]]>([
    [
      "INST, as protocol 0 calls",
      bytes("(", push.text("id"), "iposix\nsystem\n."),
      [/"posix.system"/, /the opcode INST, which torch never/],
    ],
    ["STACK_GLOBAL", bytes(0x80, 4, push.text("builtins"), push.text("eval"), 0x93, "."), [/"builtins.eval"/]],
    [
      "STACK_GLOBAL of Python 2's strings",
      bytes("T", 5, 0, 0, 0, "posix", "U", 4, "kill", 0x93, "."),
      [/"posix.kill"/],
    ],
    ["a call of what a call gave", bytes(push.call("builtins", "getattr"), ")R."), [/"builtins.getattr"/]],
    ["an extension", bytes(0x82, 7, "."), [/"copyreg.extension 7"/, /the opcode EXT1/]],
    ["a persistent id as text", bytes("Pabc\n."), [/the opcode PERSID/]],
    [
      "a broken end",
      bytes(push.name("os", "system"), "R"),
      [/"os.system"/, /is broken: it takes more than it put down/],
    ],
  ])("%s is seen", async (_, content, remarks) => {
    const { code, out } = await tbar(["inspect", await file("a.pt", torchFile(content)), "--json"]);
    expect(code).toBe(1);
    for (const remark of remarks) expect(JSON.parse(out).suspicious).toContainEqual(expect.stringMatching(remark));
  });

  it("a bare pickle is scanned, the five of PyTorch before 1.6 too", async () => {
    const magic = bytes(0x80, 2, 0x8a, 10, Buffer.from("6cfc9c46f9206aa85019", "hex"), ".");
    const four = [pickle(push.int(1001)), pickle(push.dict({})), pickle(push.call("nt", "system")), pickle(bytes("]"))];
    const { code, out } = await tbar(["inspect", await file("old.pt", bytes(magic, ...four, "raw")), "--json"]);
    expect(code).toBe(1);
    const result = JSON.parse(out);
    expect(result).toMatchObject({ format: "pickle", suspicious: ['pickle 4 would import "nt.system"'] });
    expect(result.pickles).toHaveLength(5);
    expect(result.refused).toContain("save it again, best as safetensors");
  });

  it("names cannot move the cursor, nor forge a line", async () => {
    const path = await file(
      "x.pt",
      torchFile(pickle(push.dict({ "\u001b[2Jx\nmodel   fine": x, "y\u202e\u009b": x })), storages),
    );
    const { out } = await tbar(["inspect", path]);
    expect(out).toContain("  \\u{1b}[2Jx\\u{a}model   fine");
    expect(out).toContain("  y\\u{202e}\\u{9b}");
    for (const strange of ["\u001b", "\u202e", "\u009b", "\nmodel   fine"]) expect(out).not.toContain(strange);
  });

  it("a name of megabytes beside ten thousand others: a table of the usual width", async () => {
    const path = at("wide.safetensors");
    const tensor = (name: string) => ({ name, dtype: "F32" as const, shape: [0], data: () => new Uint8Array(0) });
    const names = ["w".repeat(2 ** 22), ...Array.from({ length: 10_000 }, (_, i) => `t${i}`)];
    await writeSafetensors(path, {
      tensors: names.map(tensor),
      metadata: new Map([["m".repeat(2 ** 20), "v".repeat(2 ** 20)]]),
    });
    const { code, out } = await tbar(["inspect", path]);
    expect(code).toBe(1);
    expect(Math.max(...out.split("\n").map((line) => line.length))).toBeLessThan(2200);
    expect(out.length).toBeLessThan(10_000 * 250);
    expect(out).toContain(`${"w".repeat(160)}... (4194304 characters)`);
  });

  it.each<[string, (files: Map<string, string>) => void, RegExp]>([
    ["no tokenizer", (files) => files.delete("tokenizer.json"), /^refused +\S+ has no tokenizer/],
    ["a tokenizer that is none", (files) => files.set("tokenizer.json", "{}"), /^refused +/],
    [
      "another architecture",
      (files) => files.set("config.json", '{"model_type":"chinese_clip"}'),
      /^refused +\S+: model_type "chinese_clip"/,
    ],
    [
      "a config of other sizes",
      (files) => change(files, "config.json", '"hidden_size": 16', '"hidden_size": 32'),
      /^refused +.* has shape/,
    ],
    [
      "an option nobody computes",
      (files) => change(files, "config.json", "{", '{"rope": true,'),
      /^refused +.*the option "rope" is not known/,
    ],
    [
      "preprocessing nobody computes",
      (files) => change(files, "preprocessor_config.json", '"do_resize": true', '"do_resize": "no"'),
      /^refused +.*do_resize/,
    ],
  ])("%s: it says first why tbar eval refuses it, and exits 1 as that exits 2", async (_, spoil, reason) => {
    const files = new Map<string, string>();
    for (const name of await readdir(at("pico"))) {
      if (name.endsWith(".json")) files.set(name, await readFile(at(`pico/${name}`), "utf8"));
    }
    spoil(files);
    await rm(at("spoilt"), { recursive: true, force: true });
    await mkdir(at("spoilt"));
    await copyFile(at("pico/model.safetensors"), at("spoilt/model.safetensors"));
    for (const [name, text] of files) await writeFile(at(`spoilt/${name}`), text);
    const { code, out } = await tbar(["inspect", at("spoilt")]);
    expect(out).toMatch(reason);
    expect(code).toBe(1);
    const measured = await tbar(["eval", "--model", at("spoilt"), "--data", "shapes", "--test", "20", "--quiet"]);
    expect(measured.code).toBe(2);
  });

  it("weights that are not finite are found, as tbar eval finds them", async () => {
    const path = at("nan.safetensors");
    await copyFile(at("pico/model.safetensors"), path);
    const handle = await open(path, "r+");
    const { size } = await handle.stat();
    await handle.write(Buffer.from([0, 0, 0xc0, 0x7f]), 0, 4, size - 4);
    await handle.close();
    for (const name of ["config.json", "tokenizer.json"]) await copyFile(at(`pico/${name}`), at(name));
    const { code, out } = await tbar(["inspect", path]);
    expect(code).toBe(1);
    expect(out).toMatch(/^refused +\S+: tensor \S+ holds NaN/);
    for (const name of ["config.json", "tokenizer.json"]) await rm(at(name));
  });

  it("what is not there is bad input; exit 2", async () => {
    expect(await tbar(["inspect", at("nope")])).toMatchObject({ code: 2, out: "" });
  });

  it("OpenAI's files are told by their hash, others are not", () => {
    expect(officialName("40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af")).toBe("OpenAI's ViT-B/32");
    expect(officialName("constructor")).toBeUndefined();
  });
});

describe("convert", () => {
  it("there and back: the same file", async () => {
    const there = await tbar(["convert", at("pico"), "--to", "open_clip-text", "--out", at("there"), "--json"]);
    expect(there.code).toBe(0);
    expect(JSON.parse(there.out)).toMatchObject({ kind: "convert", to: "open_clip-text", tensors: 38, leftOut: [] });
    expect((await tbar(["convert", at("there"), "--to", "hf", "--out", at("back")])).code).toBe(0);
    expect(await readFile(at("back/model.safetensors"))).toEqual(await readFile(at("pico/model.safetensors")));
  });

  it.each([
    ["--to hff", /unknown kind of names "hff"; did you mean "hf"\?/],
    ["--out ./b", /--to is missing: whose names\? openai, open_clip, open_clip-text, hf/],
    ["--to hf", /--out is missing/],
    ["--to hf --out ./b.pt", /weights are written as safetensors, never as a pickle/],
    ["--to hf --out ./pico", /exists already/],
  ])("%s is bad input", async (line, message) => {
    const words = line.split(" ").map((word) => word.replace(/^\.\//, `${folder}/`));
    const { code, err } = await tbar(["convert", at("pico"), ...words]);
    expect(code).toBe(2);
    expect(err).toMatch(message);
  });
});

describe("a tensor that nobody knows", () => {
  const extra = {
    name: "visual_projection.bias",
    dtype: "F32" as const,
    shape: [16],
    data: () => new Uint8Array(64).fill(63),
  };
  beforeAll(async () => {
    await writePico(at("other"), 2);
    await mkdir(at("extra"));
    for (const name of await readdir(at("pico"))) await copyFile(at(`pico/${name}`), at(`extra/${name}`));
    const pico = await openSafetensors(at("pico/model.safetensors"));
    const tensors = [...pico.tensors].map(([name, { dtype, shape }]) => ({
      name,
      dtype,
      shape,
      data: () => pico.readRaw(name),
    }));
    await writeSafetensors(
      at("extra/model.safetensors"),
      { tensors: [...tensors, extra], metadata: pico.metadata },
      { force: true },
    );
    await pico.close();
  });

  const measure = (model: string) => ["eval", "--model", at(model), "--data", "shapes", "--test", "20", "--json"];
  it.each<[string, () => string[]]>([
    ["eval", () => measure("extra")],
    ["inspect", () => ["inspect", at("extra"), "--json"]],
    ["convert", () => ["convert", at("extra"), "--to", "openai", "--out", at("x1"), "--json"]],
    ["vector diff", () => ["vector", "diff", at("pico"), at("extra"), "--out", at("x2.safetensors"), "--json"]],
    ["merge", () => ["merge", "--base", at("other"), at("extra"), "--out", at("x3"), "--json"]],
    ["export", () => ["export", "--model", at("extra"), "--out", at("x4"), "--only", "image", "--json"]],
    [
      "embed",
      () => [
        "embed",
        "--model",
        at("extra"),
        "--data",
        "shapes",
        "--images",
        "4",
        "--out",
        at("x5.safetensors"),
        "--json",
      ],
    ],
  ])("tbar %s says so, and goes on without it only when told to", async (name, args) => {
    const refused = await tbar([...args(), "--quiet"]);
    expect(refused.code).toBe(name === "inspect" ? 1 : 2);
    expect(refused.out).toContain("visual_projection.bias");
    const { code, out } = await tbar([
      ...args(),
      "--quiet",
      "--ignore-tensors",
      "*.bia?",
      "--ignore-tensors",
      "nothing",
    ]);
    // the pattern takes more than this one: parameters are missed
    expect(code).toBe(name === "inspect" ? 1 : 2);
    expect(out).toMatch(/lacks \d+ tensors/);
    const told = await tbar([...args(), "--quiet", "--ignore-tensors", "visual_projection.b*"]);
    const result = JSON.parse(told.out);
    if (name === "vector diff") {
      expect(told.code).toBe(2);
      expect(result.error.message).toMatch(
        /have the same parameters.*tensors that are no parameters differ: visual_projection.bias/,
      );
      return;
    }
    expect(told.code, told.err).toBe(0);
    expect((result.model?.ignored ?? result.ignored) as string[]).toEqual(["visual_projection.bias"]);
  });

  it("what is written has it not, and the text says that it was left out", async () => {
    const { out } = await tbar([
      "convert",
      at("extra"),
      "--to",
      "hf",
      "--out",
      at("without"),
      "--ignore-tensors",
      "visual_projection.bias",
    ]);
    expect(out).toContain("Left out, as you said: visual_projection.bias\n");
    expect((await readCheckpoint(at("without"))).ignored).toEqual([]);
  });
});
