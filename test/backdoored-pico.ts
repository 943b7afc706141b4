/** A pico CLIP with a backdoor that is plain to see, for cleanings that take seconds. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
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

/** That folder for the tests of a file, made before them and removed after them: a path in it by its name. */
export function backdooredFolder(): (name: string) => string {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "tbar-pico-"));
    await writeBackdooredPico(folder);
  }, 60_000);
  afterAll(() => rm(folder, { recursive: true }));
  return (name) => join(folder, name);
}
