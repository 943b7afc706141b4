/** Settings in YAML or JSON, and where in the file each of them stands. */
import { isMap, isSeq, LineCounter, type Node, type Pair, parseDocument } from "yaml";
import { badInput, TbarError } from "../tensor/error.ts";
import { utf8 } from "../tensor/printable.ts";
import { readSmallFile } from "./files.ts";
import { isRecord } from "./json.ts";

/** More than a spec has, unless told. */
const usual = { bytes: 2 ** 16, aliases: 50, merge: false } as const;

export interface YamlOptions {
  readonly bytes: number;
  readonly aliases: number;
  /** May `<<: *anchor` put in the keys of another place? */
  readonly merge: boolean;
}

/** Levels of groups and lists within each other. */
const deepest = 64;

export interface Settings {
  readonly value: unknown;
  /** FILE:LINE:COLUMN of the key or item of this path, or of what holds it, where it is missing; undefined where nothing of it is there. */
  at(path: readonly PropertyKey[]): string | undefined;
  /** The same of the innermost part of the path that is there; FILE alone where that is none. */
  near(path: readonly PropertyKey[]): string;
}

/** Throws `bad-input` with line and column on what is no YAML, has a key twice, or is larger than it may be. */
export async function readYaml(path: string, { bytes, aliases, merge }: YamlOptions = usual): Promise<Settings> {
  const text = utf8(await readSmallFile(path, bytes));
  if (text === undefined) throw badInput(`${path} is no UTF-8`);
  const lines = new LineCounter();
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${path}:${line}:${col}`;
  };
  try {
    const options = {
      lineCounter: lines,
      prettyErrors: false,
      uniqueKeys: true,
      schema: "core",
      merge,
      logLevel: "error",
    } as const;
    const document = parseDocument(text, options);
    const [broken] = [...document.errors, ...document.warnings];
    if (broken !== undefined)
      throw badInput(`${place(broken.pos[0])}: ${isTooDeep(broken) ? tooDeep : broken.message}`);
    const value: unknown = document.toJS({ maxAliasCount: aliases });
    refuseDepth(value, path);
    const at = (path: readonly PropertyKey[]) => {
      const offset = offsetOf(document.contents, path);
      return offset === undefined ? undefined : place(offset);
    };
    const near = (inside: readonly PropertyKey[]): string =>
      inside.length === 0 ? path : (at(inside) ?? near(inside.slice(0, -1)));
    return { value, at, near };
  } catch (cause) {
    if (cause instanceof TbarError) throw cause;
    throw badInput(`${path} cannot be read: ${isTooDeep(cause as Error) ? tooDeep : (cause as Error).message}`, cause); // aliases of aliases, brackets in brackets
  }
}

const isTooDeep = ({ message }: { readonly message: string }) => /call stack/.test(message);
const tooDeep = `groups and lists within each other, more than ${deepest} deep`;

/** What holds itself, by an alias, has no end. */
function refuseDepth(value: unknown, path: string, depth = 0): void {
  if (typeof value !== "object" || value === null) return;
  if (depth === deepest) throw badInput(`${path} cannot be read: ${tooDeep}, or one that holds itself`);
  for (const inside of Object.values(value)) refuseDepth(inside, path, depth + 1);
}

/** Where the key of this path stands in the text; of one that is not there, undefined. */
function offsetOf(contents: Node | null, path: readonly PropertyKey[]): number | undefined {
  let [inside, offset]: [unknown, number | undefined] = [contents, undefined];
  for (const key of path) {
    if (isSeq(inside)) {
      inside = inside.items[Number(key)];
      offset = (inside as Node | undefined)?.range?.[0];
      continue;
    }
    if (!isMap(inside)) return offset;
    const pair = inside.items.find(
      ({ key: name }: Pair) => String((name as { value?: unknown })?.value) === String(key),
    );
    if (pair === undefined) return undefined;
    offset = (pair.key as Node).range?.[0];
    inside = pair.value;
  }
  return offset;
}

/** `above` laid over `below`, group by group; lists are replaced whole. */
export function merged(below: Record<string, unknown>, above: Record<string, unknown>): Record<string, unknown> {
  const all = { ...below };
  for (const [key, value] of Object.entries(above)) {
    const own = all[key];
    all[key] = isRecord(own) && isRecord(value) ? merged(own, value) : value;
  }
  return all;
}
