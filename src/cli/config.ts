/** --config FILE: a spec in YAML or JSON, what does not fit refused by line and column. */
import { isMap, isPair, LineCounter, type Node, parseDocument } from "yaml";
import { readSmallFile } from "../files/files.ts";
import type { Job } from "../jobs/job.ts";
import { misfit } from "../jobs/spec.ts";
import { badInput } from "../tensor/error.ts";

/** More than any spec has. */
const most = { bytes: 2 ** 20, aliases: 50 } as const;

type Spec = Record<string, unknown>;

/** The file's spec with what was given on the command line in place of its own. Throws `bad-input` naming file, line and column. */
export async function readConfig(job: Job, path: string, given: Spec): Promise<Spec> {
  const lines = new LineCounter();
  const text = Buffer.from(await readSmallFile(path, most.bytes)).toString("utf8");
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${path}:${line}:${col}`;
  };
  const [broken] = document.errors;
  if (broken !== undefined) throw badInput(`${at(broken.pos[0])}: ${broken.message}`);
  const held: unknown = document.toJS({ maxAliasCount: most.aliases });
  if (!isRecord(held))
    throw badInput(`${path} should hold options, as in "seed: 1"; tbar schema ${job.name} lists them`);
  const asked = merged(held, given);
  const parsed = job.spec.safeParse(asked);
  if (parsed.success) return asked;
  const { path: where, error } = misfit(job.name, job.spec, parsed.error.issues[0], asked);
  const offset = offsetOf(document.contents, where);
  const isTheirs = offset !== undefined && valueAt(given, where) === undefined;
  if (!isTheirs) return asked; // it is the command line's own, or missing: said there
  throw badInput(`${at(offset)}: ${error.message}`);
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

const valueAt = (spec: Spec, path: readonly string[]) =>
  path.reduce((inside: unknown, key) => (inside as Spec | undefined)?.[key], spec);

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
