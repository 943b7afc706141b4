/** The manual says what help says, in roff that groff reads without a word. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { manual } from "./manual.ts";
import { allOf, outlineOf } from "./outline.ts";
import { createProgram } from "./program.ts";

const sink = { write: () => {} };
const root = outlineOf(await createProgram([], async () => {}, { out: sink, err: sink }, true));
const page = manual(root, "0.2.0");
const groff = (...args: readonly string[]) => spawnSync("groff", args, { input: page, encoding: "utf8" });

test("every command, option and example is there", () => {
  const roff = (text: string) => text.replaceAll("\\", "\\e").replaceAll("-", "\\-");
  for (const { name, about, page: { examples = [] } = {}, options, arguments: given } of allOf(root).slice(1)) {
    expect(page).toContain(`.SS "\\fB${roff(name)}\\fP`);
    expect(page).toContain(roff(about));
    for (const { long } of options.filter(({ long }) => long !== "--help")) expect(page).toContain(`\\fB${roff(long)}\\fP`);
    for (const { name } of given) expect(page).toContain(`\\fI${roff(name)}\\fP`);
    for (const example of examples) expect(page).toContain(`  ${roff(example)}\n`);
  } // biome-ignore format: a list
  expect(page).toContain("Finds the direction in a CLIP model's weights");
});

test.skipIf(groff("--version").status !== 0)("groff has nothing to warn of, and shows what is meant", () => {
  const { status, stdout, stderr } = groff("-man", "-ww", "-Tascii", "-P-cbou");
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  const shown = stdout.replace(/\s+/g, " ");
  expect(shown).toContain("NAME tbar - find and remove backdoors");
  expect(shown).toContain("tbar vector apply model vector [options]");
  expect(shown).toContain("--density share share of each vector's values that ties keeps");
  expect(shown).toContain("130 interrupted (143 by SIGTERM, 129 by SIGHUP)");
});

test("a text that begins like an instruction, a backslash and a letter beyond ASCII are shown as they are", () => {
  const odd = { ...root, about: ".TH is shown", commands: [{ ...root.commands[0], about: "'a\\b \u2264 \u00fc-" }] };
  const roff = manual(odd, "0");
  expect(roff).toContain("\n\\&.TH is shown\n");
  expect(roff).toContain("\n\\&'a\\eb \\[u2264] \\[u00FC]\\-\n");
});

test("npm installs it: package.json names the file that prepack makes", () => {
  const { man, scripts, files } = JSON.parse(readFileSync("package.json", "utf8"));
  expect(man).toEqual(["dist/tbar.1"]); // npm 11 takes no text here
  expect(files).toContain("dist");
  expect(scripts.prepack).toContain("npm run man");
});
