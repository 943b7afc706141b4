/** The main job on what ships with the package: no arguments, no downloads. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { CleanResult } from "../../results/result.ts";
import { shapesBadnetModel, shapesModel } from "../inputs/embedded.ts";
import { type CleanOptions, cleanDefaults, cleanModel } from "./clean.ts";

export interface DemoOptions
  extends Pick<CleanOptions, "seed" | "progress" | "signal" | "threads" | "device" | "command" | "force" | "set"> {
  /** Folder for the cleaned checkpoint. */
  readonly out: string;
}

/** Clean the shipped backdoored CLIP and prove it: plain TBAR, anchored, Fisher-weighted. */
export async function runDemo(options: DemoOptions): Promise<CleanResult> {
  options.signal?.throwIfAborted();
  await mkdir(options.out, { recursive: true });
  return cleanModel(demoJob(options));
}

/** Where in the demo's folder the cleaned checkpoint goes. */
export const demoOutput = (folder: string): string => join(folder, "cleaned");

/** The cleaning that the demo is. */
export function demoJob(options: DemoOptions) {
  return {
    ...cleanDefaults,
    recipe: { ...cleanDefaults.recipe, seed: options.seed },
    ...options,
    model: shapesBadnetModel,
    untouched: shapesModel,
    data: "shapes",
    out: demoOutput(options.out),
  } satisfies CleanOptions;
}
