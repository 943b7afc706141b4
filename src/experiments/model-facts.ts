/** What a checkpoint says of itself: the trigger it carries (`tbar.trigger`), and the receipt of a cleaning (`tbar.receipt`). */
import { z } from "zod";
import { badInput } from "../tensor/error.ts";

/** Metadata key of the trigger that an attack implanted. */
export const triggerKey = "tbar.trigger";
/** Metadata key of the receipt that a cleaning leaves. */
export const receiptKey = "tbar.receipt";

const implantedSchema = z.object({
  /** As `makeTrigger` takes it. */
  trigger: z.looseObject({ kind: z.string().max(100) }),
  /** Class name. */
  target: z.string().max(1000),
});

/** A trigger with the class it leads to. */
export type Implanted = z.output<typeof implantedSchema>;

/** The trigger a checkpoint's metadata names, if it does. Throws `bad-input` on metadata that does not parse. */
export function implantedTrigger(metadata: Readonly<Record<string, string>>): Implanted | undefined {
  const text = metadata[triggerKey];
  if (text === undefined) return undefined;
  try {
    return implantedSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw badInput(`the checkpoint's metadata "${triggerKey}" is not a trigger: ${String(cause).slice(0, 200)}`, cause);
  }
}
