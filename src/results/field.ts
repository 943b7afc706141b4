/** Fields of results: what may be absent, with what it says, and the types of what is read and not written. */
import { z } from "zod";

export const strings = z.array(z.string());
/** A field that may be absent. */
export const maybe = <S extends z.ZodType>(schema: S, says: string): z.ZodOptional<S> =>
  schema.optional().describe(says);

/** A schema's value as nobody changes it, without the fields that a loose one lets pass. */
export type Frozen<T> = unknown extends T
  ? T
  : T extends readonly unknown[]
    ? { readonly [Key in keyof T]: Frozen<T[Key]> }
    : T extends object
      ? [Stated<T>] extends [never]
        ? { readonly [Key in keyof T]: Frozen<T[Key]> }
        : { readonly [Key in keyof T as string extends Key ? never : Key]: Frozen<T[Key]> }
      : T;

/** Keys that a type states, index signatures left out. */
type Stated<T> = keyof { [Key in keyof T as string extends Key ? never : Key]: unknown };
