/** A new attack, defense or metric is one file and a word in its folder's list: help, --dry-run and report find it by themselves. */
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writePico } from "./pico.ts";

const leaves = {
  attacks: `/** Half of every image is one pattern. */
import { random } from "../tensor/random.ts";
import { stampTrigger } from "../triggers/trigger.ts";
import { describe, parseSpec, triggerSchema } from "./attack.ts";

const schema = triggerSchema("toy");

export const toy = describe({
  name: "toy",
  title: "Toy attack",
  about: "a pattern for play",
  options: "none",
  paper: "arXiv 0000.00001",
  spec: schema,
  trigger(options) {
    const spec = parseSpec("toy", schema, options);
    return stampTrigger(spec, (side) => {
      const pattern = new Float32Array(3 * side * side);
      random(spec.seed, "toy").fillUniform(pattern);
      return (image) => pattern.forEach((value, i) => (image[i] = 0.5 * (image[i] + value)));
    });
  },
});
`,
  defenses: `/** TBAR, as weights alone: there is no vector to keep. */
import { subtract, taskVector } from "../arithmetic/task-vector.ts";
import type { Defense } from "./defense.ts";

export const toy: Defense = {
  name: "toy",
  title: "Toy defense",
  about: "weights for play",
  paper: "arXiv 0000.00002",
  needs: [],
  cost: ({ forget, epochs }) => ({ trained: forget * epochs }),
  async run({ backdoored, forget, finetune, search }) {
    const tau = taskVector(backdoored, await finetune(forget));
    const found = await search((knob) => subtract(backdoored, tau, knob));
    return { weights: subtract(backdoored, tau, found.best.alpha), knob: "steps", search: found, settings: {} };
  },
};
`,
  metrics: `/** How many images there are. */
import { rate } from "../stats/rate.ts";
import type { FurtherMetric } from "./further.ts";

export const toy: FurtherMetric = {
  name: "toy",
  title: "Toy metric",
  about: "a figure for play",
  size: (images) => images.size,
  measure: async ({ images }) => rate(images.size, images.size),
};
`,
};

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "tbar-toy-"));
  await cp("src", join(root, "src"), { recursive: true, filter: (path) => !path.endsWith(".test.ts") });
  for (const name of ["node_modules", "models", "package.json"]) await symlink(resolve(name), join(root, name));
  for (const [folder, text] of Object.entries(leaves)) {
    await writeFile(join(root, "src", folder, "toy.ts"), text);
    await enlist(join(root, "src", folder, "index.ts"));
  }
  await writePico(join(root, "pico"));
});
afterAll(() => rm(root, { recursive: true }));

/** The one line: an import, and its word at the end of the list. */
async function enlist(index: string): Promise<void> {
  const text = await readFile(index, "utf8");
  const list = /(= \[|= \[\n)([\s\S]*?),?\n?(\](?: as const)?;)/;
  expect(text).toMatch(list);
  const with_ = text.replace(list, (_, open: string, names: string, close: string) => `${open}${names}, toy${close}`);
  await writeFile(index, `import { toy } from "./toy.ts";\n${with_}`);
}

/** In this process, from the copy. */
async function tbar(line: string): Promise<{ code: number; out: string; err: string }> {
  const { run } = await import(/* @vite-ignore */ join(root, "src/cli/run.ts"));
  const said = { out: "", err: "" };
  const code = await run(
    line.split(" ").map((word) => word.replace("@", `${root}/`)),
    {
      out: { write: (text: string) => (said.out += text) },
      err: { write: (text: string) => (said.err += text) },
      signal: new AbortController().signal,
    },
  );
  return { code, ...said };
}

const world = "--data shapes:background --test 120 --threads 1";
const attack = `attack toy --model @pico ${world} --target mint --rate 0.3 --images 800 --epochs 6 --lr 0.003 --batch 16`;
const clean = `clean --model @bad ${world} --method toy --forget 48 --clean 0 --validation 260 --batch 16 --epochs 2 --lr 0.001 --recovery 0 --rule smallest --limit 0.3`;
const evaluate = `eval --model @pico ${world} --metric toy`;

test("help names all three with what they say of themselves", async () => {
  expect((await tbar("attack --help")).out).toMatch(/^ {2}toy +a pattern for play: none$/m);
  expect((await tbar("clean --help")).out).toMatch(/^ {2}toy +weights for play \(arXiv 0000\.00002\)$/m);
  expect((await tbar("eval --help")).out).toMatch(/^ {2}toy +a figure for play$/m);
});

test("--dry-run counts what they take; a name beside theirs is told", async () => {
  const parts = async (line: string) => {
    const { out } = await tbar(`${line} --dry-run --json`);
    return JSON.parse(out).parts.map(({ what }: { what: string }) => what);
  };
  expect(await parts(attack)).toContain("implant");
  expect(await parts(evaluate)).toContain("toy");
  expect((await tbar("attack toi --model @pico --data shapes --target mint --out @x")).err).toContain(
    'did you mean "toy"?',
  );
});

test("they work, and the report draws them", { timeout: 120_000 }, async () => {
  expect(JSON.parse((await tbar(`${evaluate} --json`)).out).metrics.toy).toMatchObject({ value: 1, n: 120 });
  const { code, err } = await tbar(`${attack} --out @bad`);
  expect({ code, err: code === 0 ? "" : err }).toEqual({ code: 0, err: "" });
  expect(
    JSON.parse((await tbar(`${clean} --dry-run --json`)).out).parts.map((part: { what: string }) => part.what),
  ).toEqual(expect.arrayContaining(["toy", "toy: alpha", "toy: test"]));
  const cleaned = await tbar(`${clean} --out @whole --report @page.html --json`);
  const result = JSON.parse(cleaned.out);
  expect(result.variants.toy).toMatchObject({ title: "Toy defense", knob: "steps", chosen: true });
  expect(result.proof).not.toHaveProperty("restore"); // no vector to add back
  const page = await readFile(join(root, "page.html"), "utf8");
  for (const words of ["Toy attack", "Toy defense", "Toy metric", "arXiv 0000.00002"]) expect(page).toContain(words);
});
