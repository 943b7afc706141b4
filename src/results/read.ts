/** A stored result, read back by the definition that it was written by. */
import type { z } from "zod";
import { parseAs } from "../files/files.ts";
import { badInput, TbarError } from "../tensor/error.ts";
import { printable } from "../tensor/printable.ts";
import type { Frozen, resultHead } from "./base.ts";
import { checkRates } from "./consistent.ts";

type Head = ReturnType<typeof resultHead>;

interface Use {
  /** What it is wanted for: "a report is drawn of". */
  readonly use?: string;
  /** The command that makes it, where that is not its kind. */
  readonly command?: string;
  /** What a result of 0.1.0, which has no `schema`, says in the words of today. */
  readonly older?: (result: Readonly<Record<string, unknown>>) => object;
}

/**
 * The result that a file holds, its fields in the file's order, with NaN where the file has null for a quotient by zero; one of 0.1.0 has no `schema`. Throws
 * `bad-input` on the result of another job, on one of a form that cannot be read (who wrote it, and what would work), on fields that do
 * not fit, and on figures that contradict each other.
 */
export function readResult<Schema extends z.ZodObject<Head>>(
  schema: Schema,
  json: unknown,
  path: string,
  { use = "expected that of", command, older = (result) => result }: Use = {},
): Frozen<z.output<Schema>> {
  const { name, form, written, isOlder, writer } = headOf(schema, json, path, use);
  try {
    const today = isOlder ? { ...older(json as Readonly<Record<string, unknown>>), schema: form } : json;
    const result: object = parseAs(schema, today, `${path} is no result of tbar ${command ?? name} --json`);
    checkRates(json, path);
    return inOrderOf(json, { ...result, schema: written }) as Frozen<z.output<Schema>>;
  } catch (cause) {
    if (!isOlder || !(cause instanceof TbarError)) throw cause;
    const how = `read it with that one, or run the command again`;
    throw badInput(`${cause.message}. It was written by ${writer}, before ${form}; if that is why, ${how}`, cause);
  }
}

/** Which job and tbar wrote it, and in which form. Throws `bad-input` on the result of another job, and on one of a form that is yet to come. */
export function headOf(schema: z.ZodObject<Head>, json: unknown, path: string, use: string) {
  const form = schema.shape.schema.value;
  const name = schema.shape.kind.value;
  const { kind, schema: written, tbar } = (json ?? {}) as Readonly<Record<string, unknown>>;
  const [, job, number] = /^tbar\/(.+)\/(\d+)$/.exec(String(written)) ?? [];
  const other = job ?? kind;
  if (typeof other === "string" && other !== name)
    throw badInput(`${path} is a result of tbar ${printable(other, 40)}; ${use} tbar ${name} --json`);
  const writer = `tbar ${printable(String(tbar), 40)}`;
  if (number !== undefined && Number(number) > Number(form.split("/").at(-1)))
    throw badInput(`${path} was written by ${writer} as ${job}/${number}; this tbar reads ${form}: use that one`);
  const isOlder = kind === name && (written === undefined || (number !== undefined && written !== form));
  return { name, form, written, writer, isOlder };
}

/** A schema puts the fields that it knows first. */
function inOrderOf(like: unknown, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((one, i) => inOrderOf((like as readonly unknown[] | undefined)?.[i], one));
  if (typeof value !== "object" || value === null) return value;
  const [before, after] = [like, value] as readonly Readonly<Record<string, unknown>>[];
  const keys = new Set([...Object.keys(before ?? {}), ...Object.keys(after)]);
  const own = [...keys].filter((key) => after[key] !== undefined);
  return Object.fromEntries(own.map((key) => [key, inOrderOf(before?.[key], after[key])]));
}
