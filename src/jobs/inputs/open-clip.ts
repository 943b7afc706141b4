/** The model that a spec names, with the context's runtime. */
import type { ReadOptions } from "../../checkpoint/clip-folder.ts";
import { type LoadedClip, loadClip } from "../../engine/clip.ts";
import type { Context } from "../context.ts";
import { modelPath } from "./names.ts";

/** Throws as `loadClip` does. */
export function openClip(
  spec: ReadOptions & { readonly model: string },
  { runtime, signal }: Pick<Context, "runtime" | "signal">,
): Promise<LoadedClip> {
  return loadClip(modelPath(spec.model), { ...spec, runtime, signal });
}
