/** Options are described once: what help, JSON Schema and the documents say of them is what their definitions say. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { documents } from "../scripts/tables.ts";
import { attackNamed, attackNames } from "../src/attacks/index.ts";
import { jobs } from "../src/cli/all-jobs.ts";
import { nameOf } from "../src/cli/job-command.ts";
import { allOf, outlineOf } from "../src/cli/outline.ts";
import { createProgram } from "../src/cli/program.ts";
import { familyRecipe } from "../src/engine/family-recipe.ts";
import { schemaOf } from "../src/jobs/json-schema.ts";
import { usual } from "../src/jobs/merge/spec.ts";
import { fieldsOf, inWords } from "../src/jobs/spec.ts";
import { tbar } from "./terminal.ts";

const sink = { write: () => {} };
const commands = allOf(outlineOf(await createProgram([], async () => {}, { out: sink, err: sink }, true)));
const all = await Promise.all(
  Object.entries(jobs).map(async ([name, { load }]) => {
    const job = await load();
    const command = commands.find((one) => one.name === `tbar ${name}`)!;
    return { name, job, command, fields: fieldsOf(job.spec) };
  }),
);
const fields = all.flatMap(({ name, command, fields }) => fields.map((field) => ({ name, command, field })));

/** TypeScript of src, tests left out, strings that are joined by + as one. */
const source = readdirSync("src", { encoding: "utf8", recursive: true })
  .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
  .map((name) => readFileSync(`src/${name}`, "utf8").replace(/["`] \+\s+["`]/g, ""))
  .join("\n");

describe.each(all)("tbar $name", ({ name, job, command, fields }) => {
  test("help says of every option what its field says, and its default behind that", () => {
    const said = fields.map((field) => {
      if (field.flag.argument) return command.arguments.find(({ help }) => help === field.help)?.help;
      return command.options.find(({ long }) => long === nameOf(field))?.help;
    });
    expect(said).toEqual(
      fields.map(({ help, json, flag }) => {
        const { default: usual } = json;
        const isSaid = !flag.argument && usual !== undefined && usual !== false && String(usual) !== "";
        return isSaid ? `${help} (default: ${Array.isArray(usual) ? usual.join(",") : JSON.stringify(usual)})` : help;
      }),
    );
  });

  test("JSON Schema says the same of it", () => {
    const schema = schemaOf(job) as { readonly properties: Readonly<Record<string, unknown>> };
    for (const { path, help, json } of fields) {
      const place = path.flatMap((key) => ["properties", key]);
      const found = place.reduce((inside, key) => (inside as Record<string, never>)[key], schema as unknown);
      const ofNumber = /number|integer/.test(String(json.type));
      const { minimum, maximum, exclusiveMinimum } = json;
      expect(found, path.join(".")).toMatchObject({
        description: help,
        ...(json.default !== undefined && { default: json.default }),
        ...(ofNumber && exclusiveMinimum !== undefined && { exclusiveMinimum }),
        ...(ofNumber && minimum !== undefined && minimum > Number.MIN_SAFE_INTEGER && { minimum }),
        ...(ofNumber && maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER && { maximum }),
      });
    }
  });

  test("no field is without help, nor states in it the default that it has", () => {
    expect(fields.filter(({ help }) => help === "").map(({ path }) => path)).toEqual([]);
    const twice = fields.filter(({ help, json }) => json.default !== undefined && /default/.test(help));
    expect(twice.map(({ path }) => path)).toEqual([]);
  });

  const ranged = fields.filter(({ json, flag }) => json.minimum !== undefined && json.minimum > -1e9 && !flag.argument);
  if (ranged.length > 0)
    test("a number below its range is refused in the words of the range", async () => {
      for (const field of ranged) {
        const { code, err } = await tbar([...name.split(" "), `${nameOf(field)}=${field.json.minimum! - 1}`]);
        expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(`It must be ${inWords(field.json)}.`) });
      }
    });
});

const formerly = fields.flatMap(({ name, field }) => (field.flag.was ?? []).map((old) => [name, old] as const));
test("some options had another name", () => expect(formerly.length).toBeGreaterThan(1));
test.each(formerly)("tbar %s takes %s, the name of 0.1.0, and does not show it", async (name, old) => {
  const { code, err } = await tbar([...name.split(" "), old, "1", "--nonsense"]);
  expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining("unknown option '--nonsense'") });
  expect((await tbar([...name.split(" "), "--help"])).out).not.toContain(old);
});

test("no help text stands in two places of the source", () => {
  const texts = [...new Set(fields.map(({ field }) => field.help))].filter((text) => text.length >= 24);
  const count = (text: string) => source.split(text).length - 1;
  expect(texts.filter((text) => count(JSON.stringify(text).slice(1, -1)) > 1)).toEqual([]);
  expect(texts.length).toBeGreaterThan(40);
});

test("no command states options of a job beside its definition", () => {
  const own = readdirSync("src/cli/commands").map((name) => basename(name, ".ts"));
  expect(own.filter((name) => jobs[name] !== undefined)).toEqual([]);
});

/** What JSON Schema says of an attack's options. */
const optionsOf = (attack: string) =>
  (z.toJSONSchema(attackNamed(attack).spec, { io: "input", unrepresentable: "any" }).properties ?? {}) as Readonly<
    Record<string, { readonly default?: unknown }>
  >;

describe("documents", () => {
  /** Of the tables of options: attack, option, and what is said to be its default. */
  const rows = attackNames.flatMap((attack) => {
    const page = `docs/attacks/${attack}.md`;
    const lines = existsSync(page) ? readFileSync(page, "utf8").matchAll(/^\| `([\w-]+)` \| (.*) \|$/gm) : [];
    return [...lines].flatMap(([, option, text]) => {
      const stated = /`([^`]+)` \(default\)/.exec(text)?.[1] ?? /; (-?\d[\d.]*)$/.exec(text)?.[1];
      return stated === undefined || option === "on" ? [] : [[attack, option, stated] as const];
    });
  });

  test("tables of options are read", () => {
    expect(rows.length).toBeGreaterThan(25);
  });

  test.each(rows)("of %s, %s: the default is %s", (attack, option, stated) => {
    expect(stated).toBe(String(optionsOf(attack)[option]?.default));
  });

  const { lr, epochs, batch, warmup } = familyRecipe("attack", "small");
  const defaultOf = (job: string, ...path: string[]) =>
    fields.find(({ name, field }) => name === job && field.path.join() === path.join())?.field.json.default;
  const helpOf = (command: string, option: string) =>
    commands.find(({ name }) => name === `tbar ${command}`)?.options.find(({ long }) => long === option)?.help;
  /** Every line of a document that states a default of ours, and what it must say. */
  const statements: readonly (readonly [string, RegExp, string])[] = [
    ["docs/attacks.md", /Default (.*)\.$/, `${100 * Number(defaultOf("attack", "rate"))} % of ${Number(defaultOf("attack", "images")).toLocaleString("en-US")}`],
    ["docs/science.md", /in place of the default (\S+)\./, lr.toExponential()],
    ["docs/tbar.md", /^\| `(\w+)` \(default/, String(/\(default: "(.*)"\)/.exec(helpOf("clean", "--rule") ?? "")?.[1])],
  ]; // biome-ignore format: a table
  /** Lines that speak of other programs' defaults, or of ours without saying what they are. */
  const others =
    /pnpm by default|as PyTorch does it by default|takes its default|defaults filled in|with defaults, ranges|^\| `--method` \| merged model \| defaults|The defaults are those of|with the defaults|`wanet`, the default|^\| `size`, `place`/;

  test.each(documents)("%s: what it says of defaults is so", (document) => {
    const isOfAttack = attackNames.includes(basename(document, ".md"));
    for (const line of readFileSync(document, "utf8").split("\n")) {
      if (!/\bdefaults?\b/i.test(line) || others.test(line) || (isOfAttack && /^\| `/.test(line))) continue;
      const known = statements.filter(([where, words]) => where === document && words.test(line));
      expect(known.length, `a test of "${line}"`).toBe(1);
      const [[, words, expected]] = known;
      expect(words.exec(line)?.[1]).toBe(expected);
    }
  });

  test("the recipe of attacks, and what is usual in merging", () => {
    const attacks = readFileSync("docs/attacks.md", "utf8").replace(/\s+/g, " ");
    const rate = lr.toExponential();
    expect(attacks).toContain(`AdamW ${rate} without weight decay, batch ${batch}, ${epochs} epochs, warm-up over ${100 * warmup} %`);
    const merging = readFileSync("docs/merging.md", "utf8");
    const { ties, "task-arithmetic": plain } = usual;
    expect(merging).toMatch(new RegExp(`^\\| \`task-arithmetic\` .* \\| lambda ${plain.lambda} \\|$`, "m"));
    expect(merging).toMatch(new RegExp(`^\\| \`ties\` .* \\| density ${ties.density}, lambda ${ties.lambda}, combine ${ties.combine} \\|$`, "m"));
  }); // biome-ignore format: long sentences
});
