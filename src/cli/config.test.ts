/** --config: a spec from a file. What does not fit is refused by file, line and column; the command line wins. */
import { readFileSync } from "node:fs";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { writePico } from "../../test/pico.ts";
import { tbar } from "../../test/terminal.ts";
import { readCheckpoint } from "../checkpoint/clip-folder.ts";
import { count, option } from "../jobs/fields.ts";
import type { Job } from "../jobs/job.ts";
import { readConfig } from "./config.ts";

let folder: string;
const at = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-config-"));
  await writePico(at("from"), 1);
  await writePico(at("to"), 2);
});
afterAll(() => rm(folder, { recursive: true }));

/** Runs `tbar`, ./ standing for the folder, with a file of this text as ./options.yaml. */
async function told(line: string, text: string) {
  await writeFile(at("options.yaml"), text.replaceAll("./", `${folder}/`));
  const { code, out, err } = await tbar(line.split(" ").map((word) => word.replace(/^\.\//, `${folder}/`)));
  return { code, out, err: err.replaceAll(`${folder}/`, "./") };
}

const toy = {
  name: "toy",
  spec: z.strictObject({
    seed: option(count().default(1), "seed"),
    names: option(z.array(z.string()).optional(), "names"),
    quick: option(z.boolean().default(false), "quick"),
    recipe: z
      .strictObject({ lr: option(z.number().gt(0).optional(), "rate"), epochs: option(count().optional(), "rounds") })
      .prefault({}),
  }),
} as unknown as Job;
async function read(text: string | Uint8Array, given: Record<string, unknown> = {}) {
  await writeFile(at("toy.yaml"), text);
  return readConfig(toy, at("toy.yaml"), given);
}
const refusal = async (text: string | Uint8Array, given?: Record<string, unknown>) => {
  const error = await read(text, given).then(() => new Error("it was taken"), (error) => error); // biome-ignore format: one line
  expect(error).toMatchObject({ code: "bad-input" });
  return error.message.replaceAll(`${folder}/`, "") as string;
};

describe("a command takes its options from a file", () => {
  it.each([
    ["YAML", "from: ./from\nto: ./to\nout: ./OUT # where it goes\n"],
    ["JSON", '{"from": "./from", "to": "./to", "out": "./OUT"}'],
  ])("in %s, arguments too", async (form, text) => {
    const out = `${form}.safetensors`;
    const { code, out: said } = await told("vector diff --config ./options.yaml --json", text.replace("OUT", out));
    expect(code).toBe(0);
    expect(JSON.parse(said)).toMatchObject({ schema: "tbar/vector/2", path: at(out) });
  });

  it("what the command line says is taken in place of the file's: arguments, values, lists", async () => {
    const text = "from: ./nowhere\nto: ./to\nout: ./nowhere/at/all\nignoreTensors: [logit_scale]\n";
    const { code, out, err } = await told(
      "vector diff ./from --config ./options.yaml --out ./won.safetensors --ignore-tensors nothing --json",
      text,
    );
    expect({ code, err: code === 0 ? "" : err }).toEqual({ code: 0, err: "" });
    expect(JSON.parse(out).parent).toBe(await (await readCheckpoint(at("from"))).sha256());
  });

  it("what is missing in both is asked for as ever", async () => {
    const argument = await told("vector diff --config ./options.yaml", "from: ./from\nout: ./never");
    expect(argument).toMatchObject({ code: 2, err: "tbar: missing required argument 'to'\n" });
    const value = await told("vector diff --config ./options.yaml", "from: ./from\nto: ./to");
    expect(value).toMatchObject({ code: 2, err: "tbar: --out is missing: where shall the vector go?\n" });
  });

  it.each<[string, string, RegExp]>([
    ["an unknown option", "seeed: 1\nbase: ./from\nlambd: 0.3\n", /^tbar: \.\/options\.yaml:1:1: unknown option of merge "seeed"; known: /],
    ["a slip of the finger", "base: ./from\n\nlambd: 0.3\n", /^tbar: \.\/options\.yaml:3:1: unknown option of merge "lambd"; did you mean "lambda"\?/],
    ["one in JSON", '{\n  "base": "./from",\n  "Method": "ties"\n}', /^tbar: \.\/options\.yaml:3:3: .*"Method"; did you mean "method"\?/],
    ["a name that is none", "base: ./from\nmethod: tise\n", /^tbar: \.\/options\.yaml:2:1: unknown method of merge "tise"; did you mean "ties"\?/],
    ["a number out of range", "base: ./from\ndensity: 1.5\n", /^tbar: \.\/options\.yaml:2:1: merge: density is 1\.5; it must be a number, above 0 and at most 1/],
    ["a text for a number", "base: ./from\nlambda: much\n", /^tbar: \.\/options\.yaml:2:1: merge: lambda is "much"; it must be a number/],
    ["a number for a text", "base: 5\n", /^tbar: \.\/options\.yaml:1:1: merge: base is 5; it must be a text/],
    ["a text for a list", "models: ./to\nbase: ./from\n", /^tbar: \.\/options\.yaml:1:1: merge: models is ".*"; it must be a list/],
    ["a text for yes or no", "force: sure\n", /^tbar: \.\/options\.yaml:1:1: merge: force is "sure"; it must be true or false/],
    ["nothing for a number", "lambda:\n", /^tbar: \.\/options\.yaml:1:1: merge: lambda is null; it must be a number/],
    ["an option of the frame", "json: true\n", /^tbar: \.\/options\.yaml:1:1: unknown option of merge "json"/],
  ])("%s is refused by line and column, and nothing is written", async (_, text, message) => {
    const before = await readdir(folder);
    const given = /^models|^base: 5/.test(text) ? "" : " ./to";
    const { code, out, err } = await told(`merge${given} --config ./options.yaml --out ./never`, text);
    expect(err).toMatch(message);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(await readdir(folder)).toEqual([...new Set([...before, "options.yaml"])].sort());
  }); // biome-ignore format: a table

  it("a fault of the command line is told in its words, not by the file's line", async () => {
    const { code, err } = await told("merge ./to --config ./options.yaml --lambda x", "base: ./from\n");
    expect({ code, err }).toEqual({
      code: 2,
      err: "tbar: option '--lambda <number>' argument 'x' is invalid. It must be a number.\n",
    });
  });

  it("a second --config is refused, as is one that is not there", async () => {
    const twice = await told("merge --config ./options.yaml --config ./options.yaml", "base: ./from\n");
    expect(twice.code).toBe(2);
    expect(twice.err).toContain("It is the second one; one file holds all options.");
    const missing = await told("merge --config ./nope.yaml", "");
    expect(missing.code).toBe(2);
    expect(missing.err).toContain("nope.yaml");
  });
});

describe("groups", () => {
  it("are joined option by option: the command line's are taken, the file's others stay", async () => {
    const text = "recipe:\n  lr: 0.1\n  epochs: 3\nnames: [a]\n";
    expect(await read(text, { recipe: { lr: 0.5 }, names: ["b", "c"] })).toEqual({
      recipe: { lr: 0.5, epochs: 3 },
      names: ["b", "c"],
    });
  });

  it.each([
    ["recipe:\n  lr: 0.1\n  epoch: 3\n", 'toy.yaml:3:3: unknown option of toy\'s recipe "epoch"; did you mean "epochs"? known: lr, epochs'],
    ["recipe:\n  lr: 0\n", "toy.yaml:2:3: toy: recipe.lr is 0; it must be a number, above 0"],
    ["recipe: fast\n", 'toy.yaml:1:1: toy: recipe is "fast"; it must be a group of options'],
    ['{"seed": 1, "recipe": {"epochs": 1.5}}', "toy.yaml:1:24: toy: recipe.epochs is 1.5; it must be a whole number, 1 or more"],
    ["names:\n  - a\n  - 2\n", "toy.yaml:3:5: toy: names.1 is 2; it must be a text"],
    ["__proto__: {a: 1}\n", 'toy.yaml:1:1: unknown option of toy "__proto__"'],
    ["recipe: {__proto__: {lr: 5}}\n", 'toy.yaml:1:10: unknown option of toy\'s recipe "__proto__"'],
    ["quick: yes\n", 'toy.yaml:1:1: toy: quick is "yes"; it must be true or false'],
  ])("%j is refused", async (text, message) => {
    expect(await refusal(text)).toContain(message);
  }); // biome-ignore format: a table

  it("a fault of the command line's own is not looked for in the file", async () => {
    await expect(read("seed: 2\n", { seed: 0 })).resolves.toEqual({ seed: 0 });
  });
});

describe("what is no map of options", () => {
  const bomb = ["a: &a [x, x, x, x, x, x, x, x, x, x]", ..."bcdefgh".split("").map((name, i) => `${name}: &${name} [${Array(10).fill(`*${"abcdefg"[i]}`)}]`)].join("\n"); // biome-ignore format: one line
  it.each<[string, string | Uint8Array, string]>([
    ["a list", "- 1\n", 'toy.yaml should hold options, as in "seed: 1"; tbar schema toy lists them'],
    ["a text", "hello\n", "toy.yaml should hold options"],
    ["nothing", "", "toy.yaml should hold options"],
    ["a key twice", "seed: 1\nquick: true\nseed: 2\n", "toy.yaml:3:1: Map keys must be unique"],
    ["a key twice, in JSON", '{"seed": 1, "seed": 2}', "toy.yaml:1:13: Map keys must be unique"],
    ["a bracket left open", "names: [a\nseed: 1\n", "toy.yaml:2:1: "],
    ["several documents", "seed: 1\n---\nseed: 2\n", "toy.yaml:2:1: "],
    ["a type of its own", "seed: !!js/function 'f'\n", "toy.yaml:1:7: Unresolved tag"],
    ["aliases of aliases", bomb, "toy.yaml cannot be read: Excessive alias count"],
    ["brackets in brackets", `names: ${"[".repeat(2 ** 16 - 10)}`, "toy.yaml"],
    ["10 MB", `names: [${"a, ".repeat(3.4e6)}]`, "toy.yaml has 10200009 bytes; at most 65536 are read"],
    ["bytes", Uint8Array.of(0x73, 0xff, 0xfe), "toy.yaml is no UTF-8"],
  ])("%s is refused, soon", async (_, text, message) => {
    const start = performance.now();
    expect(await refusal(text)).toContain(message);
    expect(performance.now() - start).toBeLessThan(3000);
  });

  it("what holds itself, or is nested too deeply, has no end; keys that are lists are no warning of Node's", async () => {
    expect(await refusal("recipe: &r { lr: *r }")).toMatch(/^toy\.yaml cannot be read: .*one that holds itself$/);
    for (const depth of [65, 20_000])
      expect(await refusal(`seed: ${"[".repeat(depth)}${"]".repeat(depth)}`)).toMatch(/more than 64 deep/);
    const warned: unknown[] = [];
    const listen = (warning: unknown) => warned.push(warning);
    process.on("warning", listen);
    expect(await read("? [a, b]\n: 3\n")).toEqual({ "[ a, b ]": 3 }); // which no job takes
    await new Promise((done) => setTimeout(done, 20));
    process.off("warning", listen);
    expect(warned).toEqual([]);
  });

  it("an alias within reason stands for its value", async () => {
    expect(await read("names: &these [a, b]\nrecipe: {}\n")).toEqual({ names: ["a", "b"], recipe: {} });
    expect(await read("seed: &n 3\nrecipe:\n  epochs: *n\n")).toEqual({ seed: 3, recipe: { epochs: 3 } });
  });

  it("a mark of byte order is no part of the first key", async () => {
    expect(await read("\uFEFFseed: 3\n")).toEqual({ seed: 3 });
  });
});

describe("docs/config.md", () => {
  const text = readFileSync(new URL("../../docs/config.md", import.meta.url), "utf8");
  const blocks = [...text.matchAll(/```yaml\n# (\S+): tbar (.*) --config \1(.*)\n([^`]*)```/g)];

  it.each(blocks.map(([, , command, rest, held]) => [command, rest, held]))(
    "tbar %s --config ...%s does what it shows",
    async (command, rest, held) => {
      const text = held.replace(/^out: /m, "out: ./");
      const { code, out, err } = await told(`${command} --config ./options.yaml${rest} --json`, text);
      expect({ code, err: code === 0 ? "" : err }).toEqual({ code: 0, err: "" });
      expect(JSON.parse(out).kind).toBe(rest.includes("--dry-run") ? "estimate" : "vector");
    },
    60_000,
  );

  it("shows two files, and the words of a refusal as they are", async () => {
    expect(blocks.map(([, name]) => name)).toEqual(["diff.yaml", "attack.yaml"]);
    const [, , , , held] = blocks[1];
    const { err } = await told("attack --config ./options.yaml", `# line 1 is the name\n${held.replace("  epochs", "  epoch")}`);
    const [shown] = /^tbar: attack\.yaml:.*$/m.exec(text) ?? [];
    expect(err.replace("./options.yaml", "attack.yaml")).toBe(`${shown}\n`);
  }); // biome-ignore format: one line each
});
