/** The model that a spec names, with the context's runtime. */
import type { ReadOptions } from "../../checkpoint/clip-folder.ts";
import { loadClip } from "../../engine/clip.ts";
import type { Context } from "../context.ts";
import { modelPath } from "./names.ts";

/** Throws as `loadClip` does. */
export function openClip(spec: ReadOptions & { readonly model: string }, { runtime, signal }: Context) {
  return loadClip(modelPath(spec.model), { ...spec, runtime, signal });
}
