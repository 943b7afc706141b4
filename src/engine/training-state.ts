/** A training in a file: what it changed, the optimiser's moments and the step, so that a killed run goes on to the same bits. */
import { checkFinite } from "../checkpoint/checks.ts";
import { openSafetensors, writeSafetensors } from "../checkpoint/formats/safetensors.ts";
import type { TensorFile } from "../checkpoint/formats/tensor-file.ts";
import { closing, isFile } from "../files/files.ts";
import type { OptimizerState } from "../optim/optimizer.ts";
import { badInput } from "../tensor/error.ts";
import { printable } from "../tensor/printable.ts";
import { sameShape, type Tensor, type Weights } from "../tensor/tensor.ts";

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
    [...values].map(([name, value]) => {
      return { name: `${kind}/${name}`, dtype: "F32" as const, shape: value.shape, data: () => value };
    }),
  );
  const metadata = new Map(Object.entries({ step: String(step), seconds: String(seconds), recipe }));
  await writeSafetensors(path, { tensors, metadata }, { force: true });
}

const momentKinds = ["m", "v"];

/**
 * What was saved, or undefined when there is no file. `expected` gives the tensors that there may be, in the model's order, in which the
 * norm of the gradient is summed, and `steps` the length of the training. Throws `bad-input` on the state of another run, and
 * on one that this training cannot have left: other names, shapes or types, values that are not finite, more steps than it has.
 */
export async function readState(
  { path, recipe }: StateFile,
  expected: ReadonlyMap<string, Pick<Tensor, "shape">>,
  steps: number,
): Promise<TrainingState | undefined> {
  if (!(await isFile(path))) return undefined;
  const refuse = (why: string) =>
    badInput(`${path} is no state that this training left: ${why}; remove it or name another output`);
  return closing(openSafetensors(path), async (file) => {
    const found = file.metadata.get("recipe");
    if (found !== recipe) {
      throw badInput(
        `${path} is the state of another run (${printable(found ?? "no recipe", 2000)}); remove it or name another output`,
      );
    }
    for (const [full, { dtype, shape }] of file.tensors) {
      const [kind, name] = [full.slice(0, full.indexOf("/")), full.slice(full.indexOf("/") + 1)];
      const own = expected.get(name);
      const isKnown = own !== undefined && (kind === "weights" || momentKinds.includes(kind));
      if (!isKnown) throw refuse(`it holds "${printable(full)}"`);
      if (dtype !== "F32" || !sameShape(shape, own.shape))
        throw refuse(`${full} is ${dtype} [${shape}], not F32 [${own.shape}]`);
    }
    const groups: Record<string, Map<string, Tensor>> = {};
    for (const kind of ["weights", ...momentKinds]) {
      const names = [...expected.keys()].filter((name) => file.tensors.has(`${kind}/${name}`));
      const read = new Map<string, Tensor>();
      for (const name of names) read.set(name, await finite(file, `${kind}/${name}`));
      if (names.length > 0) groups[kind] = read;
    }
    const { weights = new Map<string, Tensor>(), ...moments } = groups;
    const step = Number(file.metadata.get("step"));
    const seconds = Number(file.metadata.get("seconds"));
    if (!(Number.isSafeInteger(step) && step >= 0 && step <= steps))
      throw refuse(`it was left after step ${step} of ${steps}`);
    if (!(seconds >= 0 && seconds <= longest)) throw refuse(`it took ${seconds} seconds`);
    const [first = new Map(), second = new Map()] = momentKinds.map((kind) => moments[kind]);
    const alone = [...first.keys(), ...second.keys()].find((name) => !(first.has(name) && second.has(name)));
    if (alone !== undefined) throw refuse(`it has not all moments of ${alone}`);
    const bare = [...first.keys()].find((name) => !weights.has(name));
    if (bare !== undefined) throw refuse(`it has the moments of ${bare}, and not what they moved`);
    const negative = [...(moments.v ?? [])].find(([, { data }]) => data.some((value) => value < 0));
    if (negative !== undefined) throw refuse(`a mean square of ${negative[0]} is below zero`);
    return { seconds, weights, state: { step, moments } };
  });
}

/** A hundred years. */
const longest = 3.2e9;

async function finite(file: Pick<TensorFile, "read" | "path">, name: string): Promise<Tensor> {
  const value = await file.read(name);
  checkFinite(name, value, file.path);
  return value;
}
