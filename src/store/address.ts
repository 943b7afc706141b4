/** The address of a result: what decides how a job comes out, and nothing else. */
import { createHash } from "node:crypto";
import { readdir, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { z } from "zod";
import { type ReadOptions, readCheckpoint } from "../checkpoint/clip-folder.ts";
import { isFile, isFolder, sha256File } from "../files/files.ts";
import { version } from "../files/version.ts";
import { dataPath, modelPath } from "../jobs/inputs/names.ts";
import type { Job } from "../jobs/job.ts";
import { fieldsOf } from "../jobs/spec.ts";

/** Of these a result's hash is made. */
export interface Address {
  readonly job: string;
  /** By the dotted path of each field that is not the machine's; what names a model or a file stands for its content. */
  readonly spec: Readonly<Record<string, unknown>>;
  /** Of the result: tbar/clean/2. */
  readonly schema: string;
  readonly tbar: string;
}

/**
 * The address of the job's result for a complete spec. `made` says of the paths of models that are made on the way which address they
 * come from. Throws `bad-input` on a model that is there and cannot be read.
 */
export async function addressOf(
  job: Job,
  spec: object,
  made: ReadonlyMap<string, string> = new Map(),
): Promise<Address> {
  const told: Record<string, unknown> = {};
  for (const { path, flag, json } of fieldsOf(job.spec)) {
    const value = path.reduce((inside: unknown, key) => (inside as Record<string, unknown> | undefined)?.[key], spec);
    if (flag.machine || value === undefined || (isOff(value) && canonicalJson(value) === canonicalJson(json.default))) continue; // biome-ignore format: one line
    const content = async (name: unknown): Promise<unknown> => {
      if (typeof name !== "string" || flag.names === undefined) return name;
      const maker = made.get(name);
      if (maker !== undefined) return { made: maker };
      return flag.names === "model" ? modelContent(name, spec) : fileContent(name);
    };
    told[path.join(".")] = Array.isArray(value) ? await Promise.all(value.map(content)) : await content(value);
  }
  return { job: job.name, spec: told, schema: schemaOf(job), tbar: version };
}

/** An option that is off unless asked for counts only where it is asked for: one more of them makes no stored result another one. */
const isOff = (value: unknown) => value === false || (Array.isArray(value) && value.length === 0);

/** SHA-256 of the address as canonical JSON. */
export function hashOf({ job, spec, schema, tbar }: Address): string {
  return createHash("sha256").update(canonicalJson({ job, spec, schema, tbar })).digest("hex");
}

/** JSON with keys in the order of their code units and without spaces: one text for one value. */
export function canonicalJson(value: unknown): string {
  const sorted = (_: string, inside: unknown) =>
    typeof inside === "object" && inside !== null && !Array.isArray(inside)
      ? Object.fromEntries(Object.entries(inside).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inside;
  return JSON.stringify(value, sorted);
}

function schemaOf({ name, result }: Job): string {
  const stated = result instanceof z.ZodObject ? result.shape.schema : undefined;
  return stated instanceof z.ZodLiteral ? String(stated.value) : `tbar/${name}`;
}

/** Weights, and what the files beside them say; of a model that is not there, its name. */
async function modelContent(name: string, options: ReadOptions): Promise<unknown> {
  const path = modelPath(name);
  return remembered(path, async () => {
    if (!(await stat(path).catch(() => undefined))) return name;
    const checkpoint = await readCheckpoint(path, options);
    return { sha256: await checkpoint.sha256(), config: checkpoint.config, preprocess: checkpoint.preprocess };
  });
}

/** A file by its bytes, a folder by the names and sizes of its files, anything else (`shapes`, `imagenet`, `sig:f=6`) as it stands. */
async function fileContent(name: string): Promise<unknown> {
  const path = name.startsWith("hf:") ? dataPath(name) : name;
  return remembered(path, async () => {
    if (await isFile(path)) return { sha256: await sha256File(path) };
    if (!(await isFolder(path))) return name;
    const hash = createHash("sha256");
    const entries = await readdir(path, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => !entry.isDirectory()).map(({ parentPath, name }) => join(parentPath, name));
    for (const file of files.sort()) hash.update(`${relative(path, file)} ${(await stat(file)).size}\n`);
    return { files: files.length, sha256: hash.digest("hex") };
  });
}

/** Asked for by every cell of a sweep, and the same for all. */
const known = new Map<string, Promise<unknown>>();
async function remembered(path: string, look: () => Promise<unknown>): Promise<unknown> {
  const { mtimeMs, size } = (await stat(path).catch(() => undefined)) ?? { mtimeMs: 0, size: 0 };
  const key = `${path} ${mtimeMs} ${size}`;
  if (!known.has(key)) known.set(key, look());
  return known.get(key);
}
