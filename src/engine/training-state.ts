/** A training in a file: what it changed, the optimiser's moments and the step, so that a killed run goes on to the same bits. */
import { isFile } from "../checkpoint/files.ts";
import { openSafetensors, writeSafetensors } from "../checkpoint/safetensors.ts";
import type { OptimizerState } from "../optim/optimizer.ts";
import { badInput } from "../tensor/error.ts";
import type { Tensor, Weights } from "../tensor/tensor.ts";

/** Where a training is kept. */
export interface StateFile {
  readonly path: string;
  /** All that decides how the training goes: a file with another text is refused. */
  readonly recipe: string;
  /** Seconds between saves. */
  readonly saveEvery?: number;
  readonly onSave?: () => Promise<void>;
}

export interface TrainingState {
  /** Of training, over all its parts. */
  readonly seconds: number;
  /** Those that training changes. */
  readonly weights: Weights;
  readonly state: OptimizerState;
}

/** Appears whole, in place of the file that was there. */
export async function writeState(
  { path, recipe }: StateFile,
  { seconds, weights, state: { step, moments } }: TrainingState,
): Promise<void> {
  const named: (readonly [string, Weights])[] = [["weights", weights], ...Object.entries(moments)];
  const tensors = named.flatMap(([kind, values]) =>
    [...values].map(([name, value]) => ({
      name: `${kind}/${name}`,
      dtype: "F32" as const,
      shape: value.shape,
      data: () => value,
    })),
  );
  const metadata = new Map([
    ["step", String(step)],
    ["seconds", String(seconds)],
    ["recipe", recipe],
  ]);
  await writeSafetensors(path, { tensors, metadata }, { force: true });
}

/**
 * What was saved, or undefined when there is no file. `names` gives the order of the tensors: the norm of the gradient is summed in
 * the model's, not the file's. Throws `bad-input` on the state of another run.
 */
export async function readState(
  { path, recipe }: StateFile,
  names: Iterable<string>,
): Promise<TrainingState | undefined> {
  if (!(await isFile(path))) return undefined;
  const file = await openSafetensors(path);
  try {
    if (file.metadata.get("recipe") !== recipe) {
      throw badInput(
        `${path} is the state of another run (${file.metadata.get("recipe")}); remove it or name another output`,
      );
    }
    const groups: Record<string, Map<string, Tensor>> = {};
    const kinds = new Set([...file.tensors.keys()].map((full) => full.slice(0, full.indexOf("/"))));
    for (const kind of kinds) groups[kind] = new Map();
    for (const name of names) {
      for (const kind of kinds) {
        if (file.tensors.has(`${kind}/${name}`)) groups[kind].set(name, await file.read(`${kind}/${name}`));
      }
    }
    const { weights = new Map(), ...moments } = groups;
    const number = (key: string) => Number(file.metadata.get(key) ?? 0);
    return { seconds: number("seconds"), weights, state: { step: number("step"), moments } };
  } finally {
    await file.close();
  }
}
