/** --config FILE: a spec in YAML or JSON, what does not fit refused by line and column. */
import { isRecord } from "../files/json.ts";
import { merged, readYaml } from "../files/yaml.ts";
import type { Job } from "../jobs/job.ts";
import { misfit } from "../jobs/spec.ts";
import { badInput } from "../tensor/error.ts";

type Spec = Record<string, unknown>;

/** The file's spec with what was given on the command line in place of its own. Throws `bad-input` naming file, line and column. */
export async function readConfig(job: Job, path: string, given: Spec): Promise<Spec> {
  const { value: stated, at } = await readYaml(path);
  if (!isRecord(stated))
    throw badInput(`${path} should hold options, as in "seed: 1"; tbar schema ${job.name} lists them`);
  const asked = merged(stated, given);
  for (const issue of job.spec.safeParse(asked).error?.issues ?? []) {
    const { path: where, error } = misfit(job.name, job.spec, issue, asked);
    const place = at(where);
    // what is the command line's own, or missing, is told in its words
    if (place !== undefined && valueAt(given, where) === undefined) throw badInput(`${place}: ${error.message}`);
  }
  return asked;
}

/** A key of that name only where it is the object's own. */
const valueAt = (spec: Spec, path: readonly string[]) =>
  path.reduce((at: unknown, key) => (isRecord(at) && Object.hasOwn(at, key) ? at[key] : undefined), spec);
