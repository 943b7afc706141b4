import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writePico } from "../../test/pico.ts";
import { tbar } from "../../test/terminal.ts";
import { openSafetensors, writeSafetensors } from "../checkpoint/formats/safetensors.ts";
import { progressLine } from "./progress.ts";
import { gated, jsonText, screened } from "./terminal.ts";
import { table } from "./text.ts";

/** What no screen may get: a title, a cleared screen, a C1 command, a turned direction, a hidden letter, a new row. */
const evil = "\x1b]0;title\x07\x1b[2J\x9b1;1H\u202egnp\u200b\u2028\r\nVERIFIED";
/** All that would be obeyed; line breaks and tabs apart. */
const obeyed = /[^\P{C}\n\t]|[\p{Zl}\p{Zp}]/u;

describe("the gate", () => {
  test("spells out what a screen would obey; line breaks, tabs and every script pass", () => {
    expect(screened("a\tb\nZürich 東京 مرحبا 🐱 98,5 % (97–99)\u202f")).toBe(
      "a\tb\nZürich 東京 مرحبا 🐱 98,5 % (97–99)\u202f",
    );
    expect(screened("\x1b[31m\x07\x9b\x85\u202e\u2066\u200b\ufeff\u2028\ud800")).toBe(
      "\\u{1b}[31m\\u{7}\\u{9b}\\u{85}\\u{202e}\\u{2066}\\u{200b}\\u{feff}\\u{2028}\\u{d800}",
    );
    const said: string[] = [];
    gated({ write: (text) => said.push(text), isTTY: true }).write(evil);
    expect(said.join("")).not.toMatch(obeyed);
  });

  test("JSON stays the same document", () => {
    const value = { [evil]: [evil, "\u{e0041}", "é"], n: 1 };
    expect(jsonText(value)).not.toMatch(obeyed);
    expect(JSON.parse(jsonText(value))).toEqual(value);
  });

  test("a cell stays in its row", () => {
    expect(table([["a\nb", evil]]).split("\n")).toHaveLength(2);
  });

  test.each([true, false])("progress on a screen (%s) obeys nobody else", (isTTY) => {
    const said: string[] = [];
    const line = progressLine({ write: (text) => said.push(text), isTTY, columns: 400 }, () => 1e6 * said.length);
    line.stage(evil);
    line.step(1, 2, evil);
    line.say(evil);
    line.end();
    expect(said.join("").replaceAll("\r\x1b[K", "")).not.toMatch(obeyed);
  });
});

describe("commands quote strangers without obeying them", () => {
  let folder: string;
  const at = (...names: string[]) => join(folder, ...names);
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "tbar-screen-"));
    await writePico(at("pico"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** The pico with metadata that names a target of that name. */
  async function carrying(name: string, target: string): Promise<string> {
    const file = await openSafetensors(at("pico", "model.safetensors"));
    const tensors = [...file.tensors].map(([name, { dtype, shape }]) => ({
      name,
      dtype,
      shape,
      data: () => file.readRaw(name),
    }));
    const metadata = new Map([["tbar.trigger", JSON.stringify({ trigger: { kind: "badnet" }, target })]]);
    await mkdir(at(name));
    for (const other of ["config.json", "tokenizer.json", "preprocessor_config.json"])
      await writeFile(at(name, other), await (await import("node:fs/promises")).readFile(at("pico", other)));
    await writeSafetensors(at(name, "model.safetensors"), { tensors, metadata });
    await file.close();
    return at(name);
  }

  test.each([
    [
      "a config that is no JSON",
      async () => {
        await mkdir(at("a"));
        await writeFile(at("a", "config.json"), `${evil}{`);
        await writeFile(at("a", "model.safetensors"), "");
        return ["eval", "--model", at("a"), "--data", "shapes"];
      },
    ],
    [
      "names in a table of images",
      async () => {
        await writeFile(at("d.csv"), `image,label\n"${evil}.png",a\n"x.png",b\n`);
        return ["eval", "--model", at("pico"), "--data", at("d.csv"), "--test", "1"];
      },
    ],
    [
      "names of folders and files",
      async () => {
        const name = evil.replaceAll("\0", "");
        await mkdir(at("d", `cat${name}`), { recursive: true });
        await mkdir(at("d", "dog"));
        await writeFile(at("d", `cat${name}`, `a${name}.png`), "x");
        await writeFile(at("d", "dog", "b.png"), "x");
        return ["eval", "--model", at("pico"), "--data", at("d"), "--test", "1"];
      },
    ],
    [
      "a class of another world",
      async () => ["eval", "--model", await carrying("e", evil), "--data", "shapes", "--test", "20", "--threads", "1"],
    ],
    ["a carried trigger, inspected", async () => ["inspect", await carrying("f", evil)]],
    [
      "a carried trigger, merged",
      async () => ["merge", "--base", at("pico"), await carrying("g", evil), "--out", at("merged")],
    ],
    ["what the user typed", async () => ["eval", "--model", `no${evil}`, "--data", "shapes"]],
    ["an unknown option", async () => ["eval", `--${evil}`]],
    [
      "a receipt",
      async () => {
        await writeFile(at("r.json"), JSON.stringify({ seed: evil, [evil]: 1 }));
        return ["eval", "--model", at("pico"), "--receipt", at("r.json")];
      },
    ],
  ])("%s", async (_, prepare) => {
    const argv = await prepare();
    for (const more of [[], ["--json"]]) {
      const { out, err } = await tbar([...argv, ...more]);
      expect(out + err).not.toMatch(obeyed);
      expect(`${out}${err}`.split("\n").filter((line) => line.startsWith("VERIFIED"))).toEqual([]);
      expect(err.length + out.length).toBeGreaterThan(10);
      if (more.length > 0 && out !== "") JSON.parse(out);
    }
  });
});
