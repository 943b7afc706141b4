/** A job as a command: its options and their help from its spec, its answer as text or JSON. */
import { type CommandUnknownOpts, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { isFile } from "../files/files.ts";
import type { Job } from "../jobs/job.ts";
import { planJob, runJob } from "../jobs/run-job.ts";
import { type Field, fieldsOf, inWords, parseSpec } from "../jobs/spec.ts";
import { badInput, unknownName } from "../tensor/error.ts";
import { command, fieldsOfOptions, type Page } from "./command.ts";
import { estimateOutcome } from "./estimate.ts";
import { frameOptions } from "./frame.ts";
import type { Perform } from "./outcome.ts";

/** What a job's result says to eyes. */
export type View<Result> = (result: Result, spec: never) => string;

/** The command of a job; `view` is loaded when there is something to show. */
export function jobCommand(job: Job & Pick<Page, "summary">, view: () => Promise<View<never>>, perform: Perform) {
  const made: CommandUnknownOpts = command(job.name.split(" ").at(-1) as string, job);
  const fields = fieldsOf(job.spec);
  const named = new Map<string, Field>();
  for (const field of fields) {
    if (field.flag.argument) {
      made.argument(field.json.type === "array" ? `[${field.flag.value}...]` : `[${field.flag.value}]`, field.help);
      continue;
    }
    for (const [i, name] of [nameOf(field), ...(field.flag.was ?? [])].entries()) {
      const option = optionOf(field, name);
      named.set(option.attributeName(), field);
      fieldsOfOptions.set(option, field);
      made.addOption(i === 0 ? option : option.hideHelp());
    }
  }
  frameOptions(made, job.plan !== undefined);
  return made.action((...given: unknown[]) => {
    const values = made.opts() as Values;
    return perform(values, async (frame) => {
      const spec: Spec = {};
      for (const [i, field] of fields.filter(({ flag }) => flag.argument).entries())
        put(spec, field.path, argument(given[i]));
      for (const [name, field] of named) put(spec, field.path, values[name]);
      const config = values.config ?? (await usualConfig(job, frame.say));
      const asked = config === undefined ? spec : await withConfig(job, config, spec);
      refuseMissing(fields, asked, values.dryRun === true);
      const known = { progress: frame.progress, signal: frame.signal, command: frame.command };
      if (values.dryRun) return estimateOutcome(await planJob(job, asked, known));
      const result = await runJob(job, asked, known);
      const whole = parseSpec(job, asked) as never;
      const text = ((await view()) as View<unknown>)(result, whole);
      const exitCode = job.exitCode?.(result as never, whole);
      return { json: result as object, text, verified: job.succeeded?.(result as never), exitCode };
    });
  });
}

interface Values extends Readonly<Record<string, unknown>> {
  readonly json?: true;
  readonly quiet?: true;
  readonly dryRun?: true;
  readonly config?: string;
}

type Spec = Record<string, unknown>;

/** --test of `testImages`: the field's name with hyphens, where it has no other. */
export function nameOf({ path, flag }: Field): string {
  return `--${flag.name ?? (path.at(-1) as string).replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function optionOf(field: Field, name: string): Option {
  const { json, flag, help } = field;
  const { default: usual } = json;
  const isSaid = usual !== undefined && usual !== false && String(usual) !== ""; // an empty list says nothing
  const text = isSaid ? `${help} (default: ${Array.isArray(usual) ? usual.join(",") : JSON.stringify(usual)})` : help;
  if (json.type === "boolean") return new Option(name, text).helpGroup(flag.group ?? "");
  const word = flag.value ?? (json.type === "number" || json.type === "integer" ? "number" : "value");
  const option = new Option(`${name} <${word}>`, text).helpGroup(flag.group ?? "");
  return option.argParser<unknown>((value, before) => parse(field, value, before));
}

/** A value from its text. Its range is told here, in the words of a command line. */
function parse(field: Field, text: string, before: unknown): unknown {
  const { json, flag } = field;
  if (json.type === "array") {
    const values = flag.whole ? [text] : text.split(",").filter((name) => name !== "");
    const known = json.items?.enum;
    return [...((before as readonly unknown[] | undefined) ?? []), ...values.map((name) => known === undefined ? name : oneOf(field, known, name))]; // biome-ignore format: one line
  }
  if (json.type === "number" || json.type === "integer") {
    const value = text.trim() === "" ? Number.NaN : Number(text);
    const { minimum = -Infinity, maximum = Infinity, exclusiveMinimum = -Infinity } = json;
    const fits = Number.isFinite(value) && value >= minimum && value <= maximum && value > exclusiveMinimum;
    if (fits && (json.type === "number" || Number.isSafeInteger(value))) return value;
    throw new InvalidArgumentError(`It must be ${inWords(json)}.`);
  }
  return json.enum === undefined ? text : oneOf(field, json.enum, text);
}

function oneOf({ flag, path }: Field, names: readonly string[], text: string): string {
  const found = names.find((name) => name === text) ?? names.find((name) => name.toLowerCase() === text.toLowerCase());
  if (found === undefined) throw unknownName(flag.kind ?? flag.name ?? (path.at(-1) as string), text, names);
  return found;
}

/** An argument that was not given is none, not an empty list. */
const argument = (value: unknown) => (Array.isArray(value) && value.length === 0 ? undefined : value);

function put(spec: Spec, path: readonly string[], value: unknown): void {
  if (value === undefined) return;
  let inside = spec;
  for (const key of path.slice(0, -1)) inside = (inside[key] ??= {}) as Spec;
  inside[path.at(-1) as string] = value;
}

/** Throws `bad-input` where an option is missing that the command cannot do without. */
function refuseMissing(fields: readonly Field[], spec: unknown, isDry: boolean): void {
  for (const field of fields) {
    const { flag, path, schema } = field;
    const value = path.reduce((inside: unknown, key) => (inside as Spec | undefined)?.[key], spec);
    if (value !== undefined) continue;
    const isOptional = schema.safeParse(undefined).success;
    if (flag.argument && !isOptional) throw badInput(`missing required argument '${flag.value}'`);
    if (flag.question === undefined || (isOptional && isDry)) continue;
    throw badInput(`${nameOf(field)} is missing: ${flag.question}`);
  }
}

/** The job's own file of options, where it lies in the working folder: said, since nobody named it. */
async function usualConfig({ config }: Job, say: (text: string) => void): Promise<string | undefined> {
  if (config === undefined || !(await isFile(config))) return undefined;
  say(`options from ${config}, which lies in this folder (those given here win)`);
  return config;
}

async function withConfig(job: Job, path: string, given: Spec): Promise<Spec> {
  const { readConfig } = await import("./config.ts");
  return readConfig(job, path, given);
}
