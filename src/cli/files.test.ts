/** tbar inspect and tbar convert, on files made by hand: what they print, and how they exit. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writePico } from "../../test/pico.ts";
import { tbar } from "../../test/terminal.ts";
import { bytes, pickle, push, tensorOpcodes, torchFile } from "../../test/torch.ts";
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
      /model +ViT 16\/8, width 16, 1 layers, [\d,]+ parameters\nlayout +Hugging Face's names\nF32 +46 tensors/,
    );
    expect(out).toMatch(/metadata format +pt\n/);
    expect(out).toMatch(/\n {2}visual_projection.weight +F32 +\[16, 16\]\n/);
  });

  it("a sound PyTorch file that is no model: its tensors, no remark; exit 0", async () => {
    const { code, out } = await tbar([
      "inspect",
      await file("x.pt", torchFile(pickle(push.dict({ x })), storages)),
      "--json",
    ]);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      format: "torch",
      tensors: [{ name: "x", dtype: "F16", shape: [2] }],
      noModel: expect.stringContaining("is no CLIP model: its tensors are named x"),
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

  it("names cannot move the cursor", async () => {
    const path = await file("x.pt", torchFile(pickle(push.dict({ "\u001b[2Jx": x })), storages));
    const { out } = await tbar(["inspect", path]);
    expect(out).toContain("\\u{1b}[2Jx");
    expect(out).not.toContain("\u001b");
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
