/** A sweep as a job array: each task takes its part of the cells, and all write into one store. */

import { stringify } from "yaml";
import type { z } from "zod";
import { writeFileAtomic } from "../files/atomic.ts";
import type { Context } from "../jobs/context.ts";
import type { SweepExportResult } from "../results/sweep.ts";
import { isBucket } from "../store/bucket.ts";
import { badInput } from "../tensor/error.ts";
import { readRecipe } from "./recipe.ts";
import type { exportSpec } from "./specs.ts";
import { unitsOf } from "./units.ts";

type ExportSpec = z.output<typeof exportSpec>;

/** Throws `bad-input` where neither kind is asked for. */
export async function exportSweep(spec: ExportSpec, context: Context): Promise<SweepExportResult> {
  const { slurm, k8s, force } = spec;
  if (slurm === undefined && k8s === undefined)
    throw badInput("for which scheduler? --slurm FILE, --k8s FILE, or both");
  const recipe = await readRecipe(spec.recipe, spec);
  const [{ name }, count] = [recipe, unitsOf(recipe, spec.only).length];
  const texts = [
    ...(slurm === undefined ? [] : [{ path: slurm, text: slurmArray(spec, name, count) }]),
    ...(k8s === undefined ? [] : [{ path: k8s, text: k8sJob(spec, name, count) }]),
  ];
  for (const { path, text } of texts) await writeFileAtomic(path, text, { force, set: context.set });
  return { schema: "tbar/sweep-export/1", kind: "sweep-export", recipe: name, cells: count, written: texts.map(({ path }) => path) }; // biome-ignore format: one line
}

/** The command of one task, but for its part. */
function command({ recipe, store, profile, set = [], only = [] }: ExportSpec): readonly string[] {
  return [
    ...["sweep", "run", recipe, "--store", store],
    ...(profile === undefined ? [] : ["--profile", profile]),
    ...set.flatMap((value) => ["--set", value]),
    ...(only.length === 0 ? [] : ["--only", only.join(",")]),
  ];
}

/** As a shell takes it for one word. */
const quoted = (word: string) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);

function slurmArray(spec: ExportSpec, name: string, count: number): string {
  return `#!/bin/bash
# ${count} cells, a task each. All nodes need the ${isBucket(spec.store) ? "bucket" : "folder"} ${JSON.stringify(spec.store)} and tbar in their PATH.
#SBATCH --job-name=tbar-${name}
#SBATCH --array=1-${count}
#SBATCH --cpus-per-task=4
#SBATCH --mem=8G
#SBATCH --time=24:00:00
#SBATCH --requeue
set -e
tbar ${command(spec).map(quoted).join(" ")} --part "$SLURM_ARRAY_TASK_ID/${count}"
`;
}

function k8sJob(spec: ExportSpec, name: string, count: number): string {
  const isShared = !isBucket(spec.store); // as a volume
  const run = `tbar ${command(isShared ? { ...spec, store: "/store" } : spec)
    .map(quoted)
    .join(" ")} --part "$((JOB_COMPLETION_INDEX + 1))/${count}"`;
  const container = {
    name: "tbar",
    image: "tbar:latest",
    command: ["/bin/sh", "-c", run],
    resources: { requests: { cpu: "4", memory: "8Gi" } },
    ...(isShared ? { volumeMounts: [{ name: "store", mountPath: "/store" }] } : { envFrom: [{ secretRef: { name: "tbar-store" } }] }), // biome-ignore format: one line
  };
  const pod = {
    restartPolicy: "OnFailure",
    containers: [container],
    ...(isShared && { volumes: [{ name: "store", persistentVolumeClaim: { claimName: "tbar-store" } }] }),
  };
  const holds = isShared
    ? "claim tbar-store is the store (ReadWriteMany)"
    : "secret tbar-store holds AWS_ACCESS_KEY_ID and the like";
  return `# ${count} cells, a pod each. The ${holds}; the image is that of the Containerfile.\n${stringify(
    {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { name: `tbar-${name.toLowerCase().replaceAll("_", "-")}` },
      spec: {
        completions: count,
        parallelism: Math.min(count, 16),
        completionMode: "Indexed",
        backoffLimit: 6,
        template: { spec: pod },
      },
    },
    { lineWidth: 0 },
  )}`;
}
