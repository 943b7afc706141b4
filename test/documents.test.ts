/** Documents keep their word: tables agree with results/, links lead somewhere. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { design, picture } from "../scripts/design.ts";
import { folder, schemaFiles } from "../scripts/schema.ts";
import { documents, withTables } from "../scripts/tables.ts";
import { attacks } from "../src/attacks/index.ts";
import { defenses } from "../src/defenses/index.ts";
import { detectors } from "../src/detectors/index.ts";
import { jobs } from "../src/jobs/index.ts";

test.each(documents)("%s: every table is what results/ says (npm run tables)", (document) => {
  const text = readFileSync(document, "utf8");
  expect(text).toBe(withTables(text));
});

test.each(documents)("%s: the rows of a table have as many cells as its head", (document) => {
  const columns = (line: string) => line.replaceAll("\\|", "").split("|").length;
  const tables = readFileSync(document, "utf8").match(/^(\|.*\n)+/gm) ?? [];
  const rows = tables.flatMap((table) =>
    table
      .trimEnd()
      .split("\n")
      .map((row, _, [head]) => [row, head]),
  );
  expect(rows.filter(([row, head]) => columns(row) !== columns(head)).map(([row]) => row)).toEqual([]);
});

test.each(documents)("%s: every link to a file leads to one", (document) => {
  const text = readFileSync(document, "utf8");
  const links = [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map(([, path]) => path);
  expect(links.filter((path) => !existsSync(join(dirname(document), path)))).toEqual([]);
});

test.each([
  ["docs/attacks", attacks],
  ["docs/defenses", defenses],
] as const)("%s: a page of each, by its name, and a table of all", (folder, leaves) => {
  const heads = leaves.map(({ name }) => readFileSync(`${folder}/${name}.md`, "utf8").split(":")[0]);
  expect(heads).toEqual(leaves.map(({ name }) => `# \`${name}\``));
  expect(readdirSync(folder).sort()).toEqual(leaves.map(({ name }) => `${name}.md`).sort());
  const listed = [...readFileSync(`${folder}.md`, "utf8").matchAll(/^\| \[`([\w-]+)`\]\(.*\) \|/gm)];
  expect(listed.map(([, name]) => name)).toEqual(leaves.map(({ name }) => name));
});

test("docs/detectors.md: a section of each, in their order", () => {
  const page = readFileSync("docs/detectors.md", "utf8");
  const heads = [...page.matchAll(/^## `([\w-]+)`$/gm)].map(([, name]) => name);
  expect(heads).toEqual(detectors.map(({ name }) => name));
});

test("docs/schema has the JSON Schema of every job as it is now (npm run schema)", async () => {
  const there = readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "utf8")]);
  expect(Object.fromEntries(there)).toEqual(await schemaFiles());
});

test("the picture of docs/design.md is drawn from the imports as they are now (npm run design)", () => {
  expect(readFileSync(picture, "utf8")).toBe(design());
});

test("docs/library.md names the function of every job", () => {
  const page = readFileSync("docs/library.md", "utf8");
  const listed = page.match(/^\| `tbar .*$/gm)?.flatMap((line) => {
    const [command, more = ""] = [...line.split("|")[1].matchAll(/`tbar ([^`]*)`(.*)/g)].flatMap(
      ([, ...found]) => found,
    );
    const [family] = command.split(" ");
    return [command, ...[...more.matchAll(/`(\w+)`/g)].map(([, name]) => `${family} ${name}`)];
  });
  expect(listed?.sort()).toEqual(
    Object.keys(jobs)
      .filter((name) => name !== "demo")
      .sort(),
  );
});

const { scripts } = JSON.parse(readFileSync("package.json", "utf8"));
test.each(documents)("%s: paths of the repository and scripts that it names are there", (document) => {
  const text = readFileSync(document, "utf8");
  const paths = [...text.matchAll(/`((?:src|bench|scripts|test|examples|recipes|results)\/[\w./{},-]+)`/g)].flatMap(
    ([, path]) => {
      const [choice, names = ""] = /\{(.*)\}/.exec(path) ?? [""];
      return names.split(",").map((name) => path.replace(choice, name));
    },
  );
  expect(paths.filter((path) => !/NAME|JOB/.test(path) && !existsSync(path))).toEqual([]);
  const asked = [...text.matchAll(/npm run (?:--silent )?([\w:-]+)/g)].map(([, name]) => name);
  expect(asked.filter((name) => scripts[name] === undefined)).toEqual([]);
});
