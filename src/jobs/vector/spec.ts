/** What may be asked of the arithmetic of task vectors. */
import { z } from "zod";
import { neededOut, option, readingFields, under } from "../fields.ts";

const argument = (value: string, help: string, names: "model" | "file") =>
  option(z.string(), help, { names, argument: true, value });

export const diffSpec = z.strictObject({
  from: argument("from", "checkpoint", "model"),
  to: argument("to", "checkpoint", "model"),
  ...readingFields,
  ...neededOut("where the vector goes", "where shall the vector go?", "file"),
});

export const applySpec = z.strictObject({
  model: argument("model", "checkpoint", "model"),
  vector: argument("vector", "file of tbar vector diff or tbar clean", "file"),
  ...readingFields,
  alpha: under("Sum:")(z.number().optional(), "factor (default: that of the vector, or 1)"),
  ...neededOut("where the sum goes: a folder, or a file where MODEL is one", "where shall the sum go?"),
});

export const infoSpec = z.strictObject({ vector: argument("vector", "file", "file") });

export const cosineSpec = z.strictObject({ a: argument("a", "file", "file"), b: argument("b", "file", "file") });
