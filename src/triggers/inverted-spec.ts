/** Recovered triggers read back from results and metadata, where a stranger may have written them. */
import { z } from "zod";
import { badInput } from "../tensor/error.ts";
import { type InvertedSpec, invertedTrigger } from "./inverted.ts";
import type { Trigger } from "./trigger.ts";

/** More values than an image of 1024 x 1024 has, as base64. */
const text = z.string().max(5e6);
const number = z.number().min(-1e4).max(1e4);

const single = z.object({
  kind: z.literal("inverted"),
  seed: z.int().default(0),
  form: z.enum(["patch", "mask", "delta", "blend", "warp", "sine", "several"]),
  S: z.int().min(1).max(1024),
  values: text.optional(),
  range: z.number().positive().max(1024).optional(),
  mask: text.optional(),
  side: z.int().min(1).optional(),
  row: z.int().min(0).optional(),
  column: z.int().min(0).optional(),
  anywhere: z.boolean().optional(),
  ratio: z.number().min(0).max(1).optional(),
  amplitude: number.optional(),
  down: number.optional(),
  across: number.optional(),
  phase: number.optional(),
});

/** Recovered triggers are few: each image gets one of them. */
const mostParts = 64;

/** What a recovered trigger's spec holds. */
export const invertedSpec = single.extend({ parts: z.array(single).max(mostParts).optional() });

/** A recovered trigger from its stored spec. Throws `bad-input` on one that does not hold together. */
export function readInverted(spec: unknown): Trigger {
  const parsed = invertedSpec.safeParse(spec);
  if (parsed.success) return invertedTrigger(parsed.data as InvertedSpec);
  const [{ path, message }] = parsed.error.issues;
  throw badInput(`a recovered trigger (kind inverted) does not hold together: ${path.join(".")}: ${message}`);
}
