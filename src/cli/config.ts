/** --config FILE: a spec in YAML or JSON, what does not fit refused by line and column. */
import { isMap, isPair, LineCounter, type Node, parseDocument } from "yaml";
import { readSmallFile } from "../files/files.ts";
import type { Job } from "../jobs/job.ts";
import { misfit } from "../jobs/spec.ts";
import { badInput, TbarError } from "../tensor/error.ts";
import { utf8 } from "../tensor/printable.ts";

/** More than any spec has. */
const most = { bytes: 2 ** 16, aliases: 50 } as const;

type Spec = Record<string, unknown>;

/** The file's spec with what was given on the command line in place of its own. Throws `bad-input` naming file, line and column. */
export async function readConfig(job: Job, path: string, given: Spec): Promise<Spec> {
  const { contents, held, at } = parsed(await readSmallFile(path, most.bytes), path);
  if (!isRecord(held))
    throw badInput(`${path} should hold options, as in "seed: 1"; tbar schema ${job.name} lists them`);
  const asked = merged(held, given);
  for (const issue of job.spec.safeParse(asked).error?.issues ?? []) {
    const { path: where, error } = misfit(job.name, job.spec, issue, asked);
    const offset = offsetOf(contents, where);
    // what is the command line's own, or missing, is told in its words
    if (offset !== undefined && valueAt(given, where) === undefined) throw badInput(`${at(offset)}: ${error.message}`);
  }
  return asked;
}

/** The value in a text, the nodes it was made of, and how a place in it is named. */
function parsed(bytes: Uint8Array, path: string) {
  const text = utf8(bytes);
  if (text === undefined) throw badInput(`${path} is no UTF-8`);
  const lines = new LineCounter();
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${path}:${line}:${col}`;
  };
  try {
    const options = { lineCounter: lines, prettyErrors: false, uniqueKeys: true, schema: "core" } as const;
    const document = parseDocument(text, options);
    const [broken] = [...document.errors, ...document.warnings];
    if (broken !== undefined) throw badInput(`${at(broken.pos[0])}: ${broken.message}`);
    return { contents: document.contents, held: document.toJS({ maxAliasCount: most.aliases }) as unknown, at };
  } catch (cause) {
    if (cause instanceof TbarError) throw cause;
    throw badInput(`${path} cannot be read: ${String((cause as Error).message)}`, cause); // aliases of aliases, brackets in brackets
  }
}

const isRecord = (value: unknown): value is Spec =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function merged(below: Spec, above: Spec): Spec {
  const all = { ...below };
  for (const [key, value] of Object.entries(above)) {
    const own = all[key];
    all[key] = isRecord(own) && isRecord(value) ? merged(own, value) : value;
  }
  return all;
}

/** A key of that name only where it is the object's own. */
const valueAt = (spec: Spec, path: readonly string[]) =>
  path.reduce(
    (inside: unknown, key) => (isRecord(inside) && Object.hasOwn(inside, key) ? inside[key] : undefined),
    spec,
  );

/** Where the key of this path stands in the text; of one that is not there, undefined. */
function offsetOf(contents: Node | null, path: readonly string[]): number | undefined {
  let [inside, offset]: [unknown, number | undefined] = [contents, undefined];
  for (const key of path) {
    if (!isMap(inside)) return offset;
    const pair = inside.items.find((item) => isPair(item) && String((item.key as { value?: unknown })?.value) === key);
    if (pair === undefined) return undefined;
    offset = (pair.key as Node).range?.[0];
    inside = pair.value;
  }
  return offset;
}
