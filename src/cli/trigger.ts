/** What --trigger may be: a spec, a file, or a folder of images that carry it. */
import type { Dataset } from "../data/dataset.ts";
import { badInput } from "../tensor/error.ts";
import type { Trigger } from "../triggers/trigger.ts";

export interface KnownTrigger {
  readonly trigger?: Trigger;
  /** Images that carry it, where that is all that is known. */
  readonly triggered?: Dataset;
  /** Class name, where the file says. */
  readonly target?: string;
}

/**
 * KIND:key=value,... as `tbar attack` takes it; a trigger.json, or a folder that has one; or a folder of triggered images.
 * An attack's name wins over a file of that name: ./badnet is the file.
 */
export async function readTrigger(text: string): Promise<KnownTrigger> {
  const { attackNames, makeTrigger, parseTriggerSpec } = await import("../attacks/index.ts");
  const { isFile, isFolder } = await import("../files/files.ts");
  if (attackNames.includes(text.split(":")[0])) return { trigger: makeTrigger(parseTriggerSpec(text)) };
  const inside = `${text}/trigger.json`;
  const file = (await isFile(text)) ? text : (await isFile(inside)) ? inside : undefined;
  if (file !== undefined) {
    const { readTriggerFile } = await import("../jobs/inputs/trigger-file.ts");
    return readTriggerFile(file);
  }
  if (await isFolder(text)) {
    const { openImageFolder } = await import("../data/formats/image-folder.ts");
    return { triggered: await openImageFolder(text) };
  }
  if (/[/\\]|\.json$/.test(text)) throw badInput(`--trigger: there is no file or folder ${text}`);
  return { trigger: makeTrigger(parseTriggerSpec(text)) };
}
