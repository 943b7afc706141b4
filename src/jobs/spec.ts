/** Specs as data: their fields one by one, and what does not fit said in words. */
import { z } from "zod";
import { badInput, type TbarError, unknownName } from "../tensor/error.ts";
import { printable } from "../tensor/printable.ts";
import { type Flag, flags } from "./fields.ts";

/** A field that is no group of fields: what options, documentation and manuals are made of. */
export interface Field {
  /** Where it stands in the spec: ["recipe", "lr"]. */
  readonly path: readonly string[];
  readonly schema: z.ZodType;
  readonly flag: Flag;
  /** Help text. */
  readonly help: string;
  /** Type, range and default, as JSON Schema states them. */
  readonly json: FieldSchema;
}

/** What a field's JSON Schema may say. */
export interface FieldSchema {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly anyOf?: readonly FieldSchema[];
  readonly items?: FieldSchema;
}

/** All fields of a spec, those of its groups (`recipe`, `sizes`) included, in their order. */
export function fieldsOf(spec: z.ZodObject): readonly Field[] {
  const fields = known.get(spec) ?? fieldsBelow(spec, []);
  known.set(spec, fields);
  return fields;
}

const known = new WeakMap<z.ZodObject, readonly Field[]>();

function fieldsBelow(spec: z.ZodObject, above: readonly string[]): readonly Field[] {
  return Object.entries(spec.shape).flatMap(([key, schema]) => {
    const path = [...above, key];
    const inside = groupOf(schema as z.ZodType);
    if (inside !== undefined) return fieldsBelow(inside, path);
    return [
      {
        path,
        schema: schema as z.ZodType,
        flag: flags.get(schema as z.ZodType) ?? {},
        help: (schema as z.ZodType).description ?? "",
        json: z.toJSONSchema(schema as z.ZodType, { io: "input", unrepresentable: "any" }) as FieldSchema,
      },
    ];
  });
}

/** The fields of a group; undefined for a field. */
function groupOf(schema: z.ZodType): z.ZodObject | undefined {
  if (flags.has(schema)) return undefined;
  if (schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional) return groupOf(schema.unwrap() as z.ZodType);
  return schema instanceof z.ZodObject ? schema : undefined;
}

/** "a whole number, 1 or more" */
export function inWords({ type, minimum, maximum, exclusiveMinimum }: FieldSchema): string {
  const isSaid = (bound: number | undefined) => bound !== undefined && Math.abs(bound) !== Number.MAX_SAFE_INTEGER;
  const limits = [
    isSaid(minimum) && `${minimum} or more`,
    isSaid(exclusiveMinimum) && `above ${exclusiveMinimum}`,
    isSaid(maximum) && `at most ${maximum}`,
  ].filter(Boolean);
  return [type === "integer" ? "a whole number" : "a number", limits.join(" and ")].filter(Boolean).join(", ");
}

/** Of a spec some of whose defaults hang on other fields: what is asked for, with these filled in. */
export const usually = new WeakMap<z.ZodObject, (asked: unknown) => unknown>();

/** The complete spec, defaults filled in. Throws `bad-input` naming the field, what was found and what would work. */
export function parseSpec<Spec extends z.ZodObject>(
  { name, spec }: { readonly name: string; readonly spec: Spec },
  asked: unknown,
): z.output<Spec> {
  const parsed = spec.safeParse(usually.get(spec)?.(asked) ?? asked);
  if (parsed.success) return parsed.data;
  throw misfit(name, spec, parsed.error.issues[0], asked).error;
}

/** A spec without what changes where and how the job runs and not what comes out: threads, device, outputs. */
export function decisive<Spec extends object>(schema: z.ZodObject, spec: Spec): Partial<Spec> {
  const isMachine = (key: string) => flags.get(schema.shape[key] as z.ZodType)?.machine === true;
  return Object.fromEntries(Object.entries(spec).filter(([key]) => !isMachine(key))) as Partial<Spec>;
}

/** What does not fit, and where in the spec it stands. */
export interface Misfit {
  readonly path: readonly string[];
  readonly error: TbarError;
}

/** The first thing of a spec that does not fit. */
export function misfit(name: string, spec: z.ZodObject, issue: z.core.$ZodIssue, asked: unknown): Misfit {
  const path = issue.path.map(String);
  const at = path.join(".") || "the spec";
  const fields = fieldsOf(spec);
  if (issue.code === "unrecognized_keys") {
    const key = issue.keys[0];
    const kind = path.length === 0 ? `option of ${name}` : `option of ${name}'s ${at}`;
    return { path: [...path, key], error: unknownName(kind, printable(key, 100), keysAt(spec, path, asked)) };
  }
  const field =
    fields.find((one) => one.path.join(".") === at) ?? fields.find((one) => at.startsWith(`${one.path.join(".")}.`));
  const value = path.reduce((inside: unknown, key) => (inside as Record<string, unknown> | undefined)?.[key], asked);
  if (value === undefined) {
    const { question } = field?.flag ?? {};
    return { path, error: badInput(`${name}: ${at} is missing${question === undefined ? "" : `: ${question}`}`) };
  }
  const inner = innermost(issue);
  if (inner.code === "invalid_union" && "options" in inner) {
    const { kind } = value as { readonly kind?: unknown };
    return { path, error: unknownName(`kind of ${name}'s ${at}`, String(kind), inner.options as readonly string[]) };
  }
  if (issue.code === "invalid_value" && typeof value === "string")
    return { path, error: unknownName(field?.flag.kind ?? `${at} of ${name}`, value, issue.values.map(String)) };
  const isNumber = field !== undefined && /number|integer/.test(String(field.json.type)) && field.path.join(".") === at;
  const wanted = isNumber ? `it must be ${inWords(field.json)}` : wantedOf(inner);
  const found = printable(typeof value === "number" ? `${value}` : (JSON.stringify(value) ?? `${value}`), 80); // JSON has no NaN
  return { path, error: badInput(`${name}: ${at} is ${found}; ${wanted}`) };
}

function wantedOf(issue: z.core.$ZodIssue): string {
  if (issue.code !== "invalid_type") return issue.message;
  return `it must be ${types[issue.expected] ?? issue.expected}`;
}

const types: Readonly<Record<string, string>> = {
  string: "a text",
  boolean: "true or false",
  array: "a list",
  object: "a group of options",
};

/** Of a union that nothing fits: what the branch that came nearest says. */
function innermost(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== "invalid_union" || issue.errors.length === 0) return issue;
  const depth = (branch: readonly z.core.$ZodIssue[]) => branch[0]?.path.length ?? 0;
  const nearest = [...issue.errors].sort((a, b) => depth(b) - depth(a))[0];
  return nearest[0] === undefined ? issue : innermost(nearest[0]);
}

/** The keys that an object of the spec may have; of a union those of the kind that was asked for. */
function keysAt(schema: z.ZodType, path: readonly string[], asked: unknown): readonly string[] {
  if (schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional || schema instanceof z.ZodDefault)
    return keysAt(schema.unwrap() as z.ZodType, path, asked);
  if (schema instanceof z.ZodUnion) {
    const { kind } = asked as { readonly kind?: unknown };
    const branches = schema.options.map((branch) => keysAt(branch as z.ZodType, path, asked));
    const isOfKind = (branch: unknown) => branch instanceof z.ZodObject && branch.shape.kind?.safeParse(kind).success;
    return (
      branches.find(
        (keys, i) => keys.length > 0 && (schema.options[i] instanceof z.ZodUnion || isOfKind(schema.options[i])),
      ) ?? []
    );
  }
  if (!(schema instanceof z.ZodObject)) return [];
  const [key, ...rest] = path;
  if (key === undefined) return Object.keys(schema.shape);
  return keysAt(schema.shape[key] as z.ZodType, rest, (asked as Record<string, unknown> | undefined)?.[key]);
}
