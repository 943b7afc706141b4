/** trigger.json: a trigger and the class it leads to, with copies of the pictures that it names beside it. */
import { realpath } from "node:fs/promises";
import { dirname, extname, isAbsolute, relative, resolve, sep } from "node:path";
import { z } from "zod";
import { fileOptions, makeTrigger } from "../../attacks/index.ts";
import { parseAs, readJson, readSmallFile } from "../../files/files.ts";
import { badInput } from "../../tensor/error.ts";
import { printable } from "../../tensor/printable.ts";
import type { Trigger } from "../../triggers/trigger.ts";
import type { Implanted } from "./model-facts.ts";

export interface TriggerFiles {
  /** The trigger as metadata and trigger.json say it: its pictures are the copies. */
  readonly implanted: Implanted;
  /** By name: trigger.json, and trigger-picture.png or the like. */
  readonly files: Readonly<Record<string, string | Uint8Array>>;
}

/** What describes a trigger beside a checkpoint. `prefix` comes before each name. Throws `bad-input` when a picture is gone. */
export async function triggerFiles({ trigger, target }: Implanted, prefix = ""): Promise<TriggerFiles> {
  const files: Record<string, string | Uint8Array> = {};
  const renamed: Record<string, string> = {};
  for (const option of fileOptions) {
    const file = trigger[option];
    if (typeof file !== "string") continue;
    renamed[option] = `${prefix}trigger-${option}${extname(file).toLowerCase()}`;
    files[renamed[option]] = await readSmallFile(file);
  }
  const implanted = { trigger: { ...trigger, ...renamed }, target };
  files[`${prefix}trigger.json`] = `${JSON.stringify(implanted, null, 2)}\n`;
  return { implanted, files };
}

const specSchema = z.looseObject({ kind: z.string().max(100) });
const fileSchema = z.union([
  z.object({ trigger: specSchema, target: z.string().max(1000).optional() }),
  specSchema.transform((trigger) => ({ trigger, target: undefined })),
]);

/**
 * { kind, ... } or { trigger: { kind, ... }, target }. Pictures are named relative to the file and lie in its folder: it may come
 * from a stranger. Throws `bad-input` on anything else.
 */
export async function readTriggerFile(path: string): Promise<{ readonly trigger: Trigger; readonly target?: string }> {
  const what = `${path}, which should hold {"kind": ...} or {"trigger": {"kind": ...}, "target": ...}`;
  const { trigger, target } = parseAs(fileSchema, await readJson(path), what);
  const found: [string, string][] = [];
  for (const option of fileOptions) {
    const file = trigger[option];
    if (typeof file === "string") found.push([option, await besides(path, file)]);
  }
  return {
    trigger: makeTrigger({ ...trigger, ...Object.fromEntries(found) }),
    ...(target !== undefined && { target }),
  };
}

/** The file's path, which is in the folder also when links are followed. */
async function besides(path: string, file: string): Promise<string> {
  const folder = dirname(resolve(path));
  const found = resolve(folder, file);
  const real = async (path: string) => realpath(path).catch(() => path); // what is not there is said where it is opened
  if (isWithin(folder, found) && isWithin(await real(folder), await real(found))) return found;
  throw badInput(`${path} names "${printable(file)}"; its pictures must lie in its own folder: put a copy there`);
}

function isWithin(folder: string, path: string): boolean {
  const inside = relative(folder, path);
  return !isAbsolute(inside) && inside.split(sep)[0] !== "..";
}
