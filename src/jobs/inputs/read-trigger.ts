/** What a spec's trigger may be: an object, a text, a file, or a folder of images that carry it. */
import { attackNames, makeTrigger, parseTriggerSpec } from "../../attacks/index.ts";
import type { Dataset } from "../../data/dataset.ts";
import { isFile, isFolder } from "../../files/files.ts";
import { badInput } from "../../tensor/error.ts";
import type { Trigger, TriggerSpec } from "../../triggers/trigger.ts";
import { readTriggerFile } from "./trigger-file.ts";

export interface KnownTrigger {
  readonly trigger?: Trigger;
  /** Images that carry it, where that is all that is known. */
  readonly triggered?: Dataset;
  /** Class name, where the file says. */
  readonly target?: string;
}

/**
 * A trigger's spec; KIND:key=value,... as `tbar attack` takes it; a trigger.json, or a folder that has one; or a folder of triggered images.
 * An attack's name wins over a file of that name: ./badnet is the file.
 */
export async function readTrigger(asked: string | TriggerSpec | undefined): Promise<KnownTrigger> {
  if (asked === undefined) return {};
  if (typeof asked !== "string") return { trigger: makeTrigger(asked) };
  if (attackNames.includes(asked.split(":")[0])) return { trigger: makeTrigger(parseTriggerSpec(asked)) };
  const inside = `${asked}/trigger.json`;
  const file = (await isFile(asked)) ? asked : (await isFile(inside)) ? inside : undefined;
  if (file !== undefined) return readTriggerFile(file);
  if (await isFolder(asked)) {
    const { openImageFolder } = await import("../../data/formats/image-folder.ts");
    return { triggered: await openImageFolder(asked) };
  }
  if (/[/\\]|\.json$/.test(asked)) throw badInput(`--trigger: there is no file or folder ${asked}`);
  return { trigger: makeTrigger(parseTriggerSpec(asked)) };
}
