/** A trigger as results hold it: complete, each kind with options of its own. */
import { z } from "zod";
import type { TriggerSpec } from "../triggers/trigger.ts";

export const storedTrigger = z.looseObject({ kind: z.string(), seed: z.number() }) as unknown as z.ZodType<TriggerSpec>;
