/** Shells complete every command, option and known value: the scripts are made of the definitions, and run in the shells that are there. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import { tbar } from "../../test/terminal.ts";
import { devices } from "../runtime/onnxruntime.ts";
import { shells } from "./completion.ts";
import { allOf, type Outline, outlineOf } from "./outline.ts";
import { createProgram } from "./program.ts";

const isThere = (shell: string) => spawnSync(shell, ["-c", "true"]).status === 0;
const sink = { write: () => {} };
const root = outlineOf(await createProgram([], async () => {}, { out: sink, err: sink }, true));
const all = allOf(root);

let folder: string;
const scripts: Record<string, string> = {};
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tbar-shell-"));
  for (const shell of shells) {
    const { code, out } = await tbar(["completion", shell]);
    expect(code).toBe(0);
    scripts[shell] = out;
    writeFileSync(join(folder, shell), out);
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What bash offers for each of these lines, the last word being written. */
function inBash(lines: readonly (readonly string[])[]): string[][] {
  const calls = lines.map((words) => {
    const typed = words.map((word) => `'${word}'`).join(" ");
    return `COMP_WORDS=(tbar ${typed}); COMP_CWORD=${words.length}; _tbar; echo "\${COMPREPLY[*]}"`;
  });
  const out = execFileSync("bash", ["-c", `source "$1"\n${calls.join("\n")}`, "bash", join(folder, "bash")]);
  const said = out.toString().split("\n").slice(0, -1); // biome-ignore format: one line
  return said.map((line) => line.split(" ").filter((word) => word !== ""));
}

const within = ({ name }: Outline) => name.split(" ").slice(1);

describe.skipIf(!isThere("bash"))("in bash", () => {
  it("every command is offered where it belongs", () => {
    const families = all.filter(({ commands }) => commands.length > 0);
    const offered = inBash(families.map((one) => [...within(one), ""]));
    expect(offered).toEqual(families.map(({ commands }) => commands.map(({ name }) => name.split(" ").at(-1))));
    expect(families.map(({ name }) => name)).toContain("tbar vector");
  });

  it("every option of every command is offered behind a hyphen", () => {
    const offered = inBash(all.map((one) => [...within(one), "--"]));
    expect(offered).toEqual(all.map(({ options }) => options.map(({ long }) => long)));
    expect(offered.flat().length).toBeGreaterThan(150);
  });

  it("known values are offered behind their option, with a space or =", () => {
    const known = all.flatMap((one) => one.options.filter(({ known }) => known.length > 0).map((option) => ({ one, option }))); // biome-ignore format: one line
    for (const between of [[], ["="]]) {
      const offered = inBash(known.map(({ one, option }) => [...within(one), option.long, ...between, ""]));
      expect(offered).toEqual(known.map(({ option }) => option.known));
    }
    expect(known.map(({ option }) => option.known)).toContainEqual(devices);
  });

  it.each([
    [["ve"], ["vector"]],
    [["vector", "a"], ["apply"]],
    [["vector", "diff", ""], []], // a path
    [["merge", "--out", ""], []], // a path
    [["merge", "--method", "ti"], ["ties"]],
    [
      ["export", "--only", ""],
      ["both", "image", "text"],
    ],
    [["completion", ""], [...shells]],
    [["merge", "--base", "vector", "diff", "--dens"], ["--density"]],
  ])("%j: %j", (words, expected) => {
    expect(inBash([words])).toEqual([expected]);
  });
});

test.skipIf(!isThere("fish"))("in fish, a line is completed with what the word is for", () => {
  const ask = (line: string) =>
    execFileSync("fish", ["--no-config", "-c", `source ${join(folder, "fish")}; complete -C '${line}'`])
      .toString()
      .trim()
      .split("\n");
  expect(ask("tbar vector ")).toContain("diff\ttau = TO - FROM");
  expect(ask("tbar merge --meth")).toEqual([expect.stringMatching(/^--method\thow: task-arithmetic, ties/)]);
  expect(ask("tbar merge --method t").map((line) => line.split("\t")[0])).toEqual(["task-arithmetic", "ties"]);
});

test.skipIf(!isThere("zsh"))("zsh can read its script", () => {
  expect(spawnSync("zsh", ["-n", join(folder, "zsh")])).toMatchObject({ status: 0 });
});

test.each(["zsh", "fish"] as const)("the script of %s names every command and option with its help", (shell) => {
  const form = { zsh: (text: string) => text.replace(/[[\]:\\]/g, "\\$&").replaceAll("'", "'\\''"), fish: (text: string) => text.replace(/[\\']/g, "\\$&") }[shell]; // biome-ignore format: one line
  for (const { options, commands } of all) {
    for (const { long, help } of options) {
      expect(scripts[shell]).toContain(shell === "fish" ? ` -l ${long.slice(2)}` : long);
      expect(scripts[shell]).toContain(form(help));
    }
    for (const { summary } of commands) expect(scripts[shell]).toContain(form(summary));
  }
});

test("of a shell that is not known it says which there are", async () => {
  const { code, err } = await tbar(["completion", "csh"]);
  expect(code).toBe(2);
  expect(err).toContain("Allowed choices are bash, zsh, fish");
});
