/** docs/schema/JOB.json: the JSON Schema of every job, as `tbar schema JOB` prints it. Run: npm run schema. A test fails when one is out of date. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { jobs } from "../src/cli/all-jobs.ts";
import { schemaOf } from "../src/jobs/json-schema.ts";

export const folder = "docs/schema";

/** File names with their texts. */
export async function schemaFiles(): Promise<Readonly<Record<string, string>>> {
  const files: Record<string, string> = {};
  for (const [name, { load }] of Object.entries(jobs))
    files[`${name.replace(" ", "-")}.json`] = `${JSON.stringify(schemaOf(await load()), null, 2)}\n`;
  return files;
}

if (process.argv[1]?.endsWith("schema.ts")) {
  mkdirSync(folder, { recursive: true });
  const files = await schemaFiles();
  for (const old of readdirSync(folder)) if (files[old] === undefined) rmSync(join(folder, old));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
}
