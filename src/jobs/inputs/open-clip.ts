/** The model that a spec names, with the context's runtime. */
import { type Checkpoint, type ReadOptions, readCheckpoint } from "../../checkpoint/clip-folder.ts";
import { loadClip } from "../../engine/clip.ts";
import type { Context } from "../context.ts";
import { modelPath } from "./names.ts";

/** Throws as `loadClip` does. */
export function openClip(spec: ReadOptions & { readonly model: string }, { runtime, signal }: Context) {
  return loadClip(modelPath(spec.model), { ...spec, runtime, signal });
}

/** The clean control model that is named, without its weights: what is not there is refused before anything is trained. None where none is named. */
export async function controlCheckpoint({
  cleanControl,
  activation,
  ignoreTensors,
}: ReadOptions & { readonly cleanControl?: string }): Promise<Checkpoint | undefined> {
  return cleanControl === undefined
    ? undefined
    : readCheckpoint(modelPath(cleanControl), { activation, ignoreTensors });
}
