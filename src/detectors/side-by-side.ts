/** Triggers of many classes side by side in batches, under any loss that is a sum over images: for methods with steps of their own. */
import { oneHot } from "../engine/objectives.ts";
import { type PixelGradients, type PixelLoss, pixelGradients } from "../engine/pixel-gradients.ts";
import type { Optimizer, OptimizerState } from "../optim/optimizer.ts";
import { random } from "../tensor/random.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { descend, groups, named, pickedAt } from "./descend.ts";
import type { DetectorInput, Subject } from "./detector.ts";
import type { Form } from "./forms/form.ts";

/** A class's trigger on its way. */
export interface Running {
  readonly label: number;
  form: Form;
  readonly parameters: Float32Array;
  readonly state: OptimizerState;
}

/** What came of a step for one class, before its parameters changed. */
export interface Outcome {
  /** Images of the batch that were taken for the class, from 0 to 1. */
  readonly rate: number;
  /** The loss of its images where the loss gives `margins`; else absent. */
  readonly margin?: number;
}

export interface SideBySide {
  /** `steps` more steps of each, `each` images a step: the same for all classes. `after` may exchange a form, as its penalty changes. */
  run(
    classes: readonly Running[],
    steps: number,
    each: number,
    after?: (one: Running, outcome: Outcome) => void,
  ): Promise<void>;
  release(): Promise<void>;
}

export const running = (
  form: Form,
  label: number,
  optimizer: Optimizer,
  ...path: readonly (number | string)[]
): Running => {
  const parameters = form.start(random(...path));
  return { label, form, parameters, state: optimizer.init(named(parameters)) };
};

/** The loss has `head` and `targets` [n, C] as feeds, and gives `logits`. */
export function sideBySide(
  { clip, weights, head }: Subject & { readonly head: Tensor },
  { fit, seed, signal }: Pick<DetectorInput, "fit" | "seed" | "signal">,
  loss: PixelLoss,
  optimizer: Optimizer,
  report: (gradients: number) => void,
): SideBySide {
  const [classes] = head.shape;
  const [count] = fit.pixels.shape;
  const engine: PixelGradients = pixelGradients(clip, weights, loss);
  const step = async (
    some: readonly Running[],
    picked: readonly number[],
    after?: (one: Running, outcome: Outcome) => void,
  ) => {
    const labels = Int32Array.from(some.flatMap(({ label }) => picked.map(() => label)));
    const { outputs, gradients } = await descend(engine, some, fit.pixels, picked, { head, targets: oneHot(labels, classes) }); // biome-ignore format: one line
    for (const [k, one] of some.entries()) {
      const { form, parameters, state } = one;
      const gradient = gradients[k].map((value) => value / picked.length);
      form.penalty?.(parameters, gradient);
      const own = picked.map((_, n) => k * picked.length + n);
      const hits = own.filter((row) => most(outputs.logits.data, row, classes) === one.label).length;
      const { margins } = outputs;
      const margin = margins && own.reduce((sum, row) => sum + margins.data[row], 0) / own.length;
      after?.(one, { rate: hits / own.length, margin });
      optimizer.update(named(parameters), named(gradient), state, form.lr);
      form.project?.(parameters);
    }
  };
  return {
    async run(all, steps, each, after) {
      const used = Math.min(each, count);
      for (const some of groups(all, used)) {
        const begun = some[0].state.step;
        for (let s = begun; s < begun + steps; s++) {
          signal?.throwIfAborted();
          await step(some, pickedAt(count, used, seed, "side by side", s), after);
          report(some.length * used);
        }
      }
    },
    release: engine.release,
  };
}

/** The column of a row's largest value. */
function most(data: Float32Array, row: number, columns: number): number {
  let best = 0;
  for (let c = 1; c < columns; c++) if (data[row * columns + c] > data[row * columns + best]) best = c;
  return best;
}
