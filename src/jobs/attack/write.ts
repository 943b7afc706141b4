/** A backdoored checkpoint says which trigger it carries: in its metadata, in trigger.json, on its card. */
import { basename, dirname, join } from "node:path";
import type { Checkpoint } from "../../checkpoint/clip-folder.ts";
import { refuseCheckpoint, writeCheckpoint } from "../../checkpoint/write-checkpoint.ts";
import { type WriteOptions, writeFileAtomic } from "../../files/atomic.ts";
import type { AttackResult } from "../../results/attack.ts";
import type { Weights } from "../../tensor/tensor.ts";
import { type Implanted, implantedTriggers, triggerMetadata } from "../inputs/model-facts.ts";
import { triggerFiles } from "../inputs/trigger-file.ts";
import { attackCard } from "./card.ts";

const isFolder = ({ path, weightsFile }: Checkpoint) => path !== weightsFile;

/** Throws `bad-input` when an output is there and may not be replaced: before an hour is spent on it. */
export async function refuseAttacked(out: string, like: Checkpoint, implanted: Implanted, options: WriteOptions) {
  const { files } = await triggerFiles(implanted);
  await refuseCheckpoint(out, like, [...Object.keys(files), ...(isFolder(like) ? ["README.md"] : [])], options);
}

export async function writeAttacked(
  out: string,
  like: Checkpoint,
  weights: Weights,
  result: AttackResult,
  options: WriteOptions,
): Promise<void> {
  const { trigger, target, poison, recipe, seed, after, seconds } = result;
  const prefix = isFolder(like) ? "" : `${basename(out)}.`;
  const { implanted, files } = await triggerFiles({ trigger: { ...trigger }, target }, prefix);
  const metadata = {
    ...triggerMetadata([...implantedTriggers(like.metadata), implanted]),
    "tbar.attack": JSON.stringify({ ...poison, recipe, seed, after, seconds }),
  };
  const extraFiles = isFolder(like) ? { "README.md": attackCard(result), ...files } : undefined;
  await writeCheckpoint(out, { like, weights, metadata, extraFiles }, options);
  for (const [name, data] of Object.entries(isFolder(like) ? {} : files)) {
    await writeFileAtomic(join(dirname(out), name), data, options);
  }
}
