/** `${cell.rate}` in a recipe: values from elsewhere. Paths, one comparison, and nothing that computes. */
import { badInput, unknownName } from "../tensor/error.ts";
import { printable } from "../tensor/printable.ts";

/** What paths lead into: { cell, seed, steps, values }. */
export type Scope = Readonly<Record<string, unknown>>;

/** Under this key a step says why there is nothing else of it: its result is not there yet, or its `when` did not hold. */
export const absence = Symbol("absence");
export type Absence = "left" | "skipped";

/** A path led to a result that is not there: what refers to it waits for it, or is left out too. */
export class NotThere extends Error {
  readonly absence: Absence;
  constructor(absence: Absence) {
    super("there is no result yet");
    this.absence = absence;
  }
}

const reference = /\$\{\s*([\w.-]+)(\?)?\s*\}/g;

/** All paths that a value refers to, at any depth. */
export function pathsIn(value: unknown): readonly string[] {
  if (typeof value === "string") return [...value.matchAll(reference)].map(([, path]) => path);
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(pathsIn) : [];
}

/**
 * The value with its references put in: `${path}` alone becomes what it leads to, of any type; within a text it is written out. With a
 * question mark, `${cell.boost?}`, what is not there is left out with its key. Throws `bad-input` naming what is not there.
 */
export function resolve(value: unknown, scope: Scope): unknown {
  if (typeof value === "string") return resolveText(value, scope);
  if (Array.isArray(value)) return value.map((one) => resolve(one, scope)).filter((one) => one !== undefined);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, inside]) => [key, resolve(inside, scope)] as const);
  return Object.fromEntries(entries.filter(([, inside]) => inside !== undefined));
}

function resolveText(text: string, scope: Scope): unknown {
  const [first] = text.matchAll(reference);
  const rest = text.replace(reference, "");
  if (rest.includes("${"))
    throw badInput(`"${printable(text)}" holds \${ that begins no reference such as \${cell.name} or \${cell.boost?}`);
  if (first?.[0].length === text.length) return noReference(lookUp(first[1], scope, first[2] === "?"), first[1]);
  return text.replace(reference, (_, path: string) => {
    const found = noReference(lookUp(path, scope, false), path);
    if (typeof found !== "object") return String(found);
    throw badInput(`\${${path}} is no single value and cannot stand within "${printable(text)}"`);
  });
}

/** What stands under `values` is taken as it is: it cannot refer in turn, to itself or anything else. */
function noReference(found: unknown, path: string): unknown {
  if (!/^(values|seed)\b/.test(path) || pathsIn(found).length === 0) return found;
  throw badInput(`\${${path}} leads to \${${pathsIn(found)[0]}}, and a reference may not lead to another`);
}

/** What a path leads to. Throws `bad-input` where that is nothing, unless it may be missing; `NotThere` where a result is not. */
export function lookUp(path: string, scope: Scope, mayMiss = false): unknown {
  let inside: unknown = scope;
  const keys = path === "seed" ? ["seed", "seed"] : path.split("."); // its number, beside ${seed.target}
  for (const [i, key] of keys.entries()) {
    const isHolder = typeof inside === "object" && inside !== null;
    if (!isHolder || !Object.hasOwn(inside as object, key)) {
      const why = isHolder && (inside as { readonly [absence]?: Absence })[absence];
      if (why) throw new NotThere(why);
      if (mayMiss) return undefined;
      const above = keys.slice(0, i).join(".");
      if (isHolder)
        throw unknownName(above === "" ? "reference" : `reference in ${above}`, key, Object.keys(inside as object));
      throw badInput(`\${${path}} leads nowhere: ${above} is ${printable(JSON.stringify(inside) ?? "nothing", 80)}`);
    }
    inside = (inside as Scope)[key];
  }
  return inside;
}

const comparisons: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  ">=": (a, b) => a >= b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  "<": (a, b) => a < b,
};

export interface Comparison {
  readonly op: string;
  readonly limit: number;
}

/** ">= 0.9". Throws `bad-input` on anything else. */
export function parseComparison(text: string): Comparison {
  const [, op, limit] = /^\s*(>=|<=|>|<)\s*(\S+)\s*$/.exec(text) ?? [];
  if (op !== undefined && Number.isFinite(Number(limit))) return { op, limit: Number(limit) };
  throw badInput(`"${printable(text)}" is no comparison with a number, such as >= 0.9`);
}

/** Of a quotient by zero nothing holds. */
export const holds = (value: number, { op, limit }: Comparison): boolean =>
  Number.isFinite(value) && comparisons[op](value, limit);

/** Is it so? `steps.attack.after.asr.value >= 0.1`, or of a word `steps.scan.verdict == no evidence`, `!=`. */
export function isSo(condition: string, scope: Scope): boolean {
  const [, path, rest] = /^\s*([\w.-]+)\s*(.*)$/s.exec(condition) ?? [];
  if (path === undefined)
    throw badInput(`"${printable(condition)}" is no condition such as steps.attack.after.asr.value >= 0.1`);
  const value = lookUp(path, scope);
  if (typeof value === "number") return holds(value, parseComparison(rest));
  const [, op, word] = /^([=!]=)\s*(\S.*)$/.exec(rest) ?? [];
  if (typeof value === "string" && op !== undefined) return (value === word.trim()) === (op === "==");
  throw badInput(`when: ${path} is ${printable(JSON.stringify(value) ?? "nothing", 80)}, no number to compare`);
}
