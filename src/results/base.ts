/** What every result has, and how a result is read back: one definition each for its type, its file and its documentation. */
import { z } from "zod";

/** A schema's value as nobody changes it. */
export type Frozen<T> = unknown extends T ? T : { readonly [Key in keyof T]: Frozen<T[Key]> };

/** `tbar/NAME/VERSION`; `kind` is the name alone, as results of 0.1.0 have it. */
export const resultHead = <Name extends string, Version extends number>(name: Name, version: Version) => ({
  schema: z.literal(`tbar/${name}/${version}`),
  kind: z.literal(name),
});

/** How a job came about. */
export const madeFields = {
  /** The version of tbar that made it. */
  tbar: z.string(),
  /** ISO 8601. */
  created: z.string(),
  /** The command line; empty where a program asked. */
  command: z.string(),
};

/** How checkpoints were read. */
export const readingFields = {
  /** What a checkpoint does not say of itself and was taken for granted, a sentence each; absent where that is nothing. */
  assumptions: z.array(z.string()).optional(),
  /** Tensors that were left out because the user said so. */
  ignored: z.array(z.string()).optional(),
};

/** Where a result lies on disk, and the SHA-256 of its weights. */
export const outputFile = z.looseObject({ path: z.string(), sha256: z.string() });

/** A trigger as a checkpoint states it, and the class it leads to. */
export const implanted = z.looseObject({ trigger: z.looseObject({ kind: z.string() }), target: z.string() });
