/** What --trigger may be: a spec, a file, or a folder of images that carry it. */
import type { Dataset } from "../data/dataset.ts";
import type { Trigger } from "../data/trigger.ts";
import { badInput } from "../tensor/error.ts";

export interface KnownTrigger {
  readonly trigger?: Trigger;
  /** Images that carry it, where that is all that is known. */
  readonly triggered?: Dataset;
  /** Class name, where the file says. */
  readonly target?: string;
}

/**
 * KIND:key=value,... as `tbar attack` takes it; a JSON file with { kind, ... } or { trigger: { kind, ... }, target };
 * or a folder of triggered images. An attack's name wins over a file of that name: ./badnet is the file.
 */
export async function readTrigger(text: string): Promise<KnownTrigger> {
  const { attackNames, makeTrigger, parseTriggerSpec } = await import("../experiments/registry.ts");
  const { isFile, isFolder } = await import("../checkpoint/files.ts");
  if (attackNames.includes(text.split(":")[0])) return { trigger: makeTrigger(parseTriggerSpec(text)) };
  if (await isFolder(text)) {
    const { openImageFolder } = await import("../data/image-folder.ts");
    return { triggered: await openImageFolder(text) };
  }
  if (await isFile(text)) {
    const { spec, target } = await readTriggerFile(text);
    return { trigger: makeTrigger(spec), ...(target !== undefined && { target }) };
  }
  if (/[/\\]|\.json$/.test(text)) throw badInput(`--trigger: there is no file or folder ${text}`);
  return { trigger: makeTrigger(parseTriggerSpec(text)) };
}

async function readTriggerFile(path: string) {
  const { z } = await import("zod");
  const { parseAs, readJson } = await import("../checkpoint/files.ts");
  const spec = z.looseObject({ kind: z.string() });
  const schema = z.union([
    z.object({ trigger: spec, target: z.string().optional() }).transform((file) => ({ ...file, spec: file.trigger })),
    spec.transform((spec) => ({ spec, target: undefined })),
  ]);
  return parseAs(
    schema,
    await readJson(path),
    `${path}, which should hold {"kind": ...} or {"trigger": {...}, "target": ...}`,
  );
}
