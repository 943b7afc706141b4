/** A pico CLIP with a backdoor that is plain to see, for cleanings that take seconds. */
import { join } from "node:path";
import { attack } from "../src/jobs/attack/job.ts";
import { runJob } from "../src/jobs/run-job.ts";
import { writePico } from "./pico.ts";

/** The data that it knows. */
export const world = { data: "shapes:background", threads: 1 } as const;

/** FOLDER/pico, and FOLDER/bad: the same with Blended at 40 %, to "mint". */
export async function writeBackdooredPico(folder: string): Promise<void> {
  const [model, out] = [join(folder, "pico"), join(folder, "bad")];
  await writePico(model);
  const recipe = { lr: 3e-3, epochs: 6, batch: 16 };
  const spec = { ...world, target: "mint", rate: 0.3, images: 800, testImages: 120, recipe };
  await runJob(attack, { ...spec, model, trigger: "blended:ratio=0.4", out });
}
