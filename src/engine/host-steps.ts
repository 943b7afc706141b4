/** Steps whose weights and moments lie on the host: each feeds the gradient's program all it reads, and updates in place. */
import { clipFactor } from "../optim/schedule.ts";
import { copyTensor, type Tensor, type Weights } from "../tensor/tensor.ts";
import { gradientsOf } from "./gradients.ts";
import { checkConverging, checkMoments, type Stepper, type StepReport, type TrainOptions } from "./training.ts";

export function hostSteps<Batch>(start: Weights, options: TrainOptions<Batch>): Stepper<Batch> {
  const { runtime, objective, optimizer, schedule, clip, constrain } = options;
  const trained = [...start].filter(([name]) => objective.trains(name));
  const own: [string, Tensor][] = trained.map(([name, value]) => [name, copyTensor(value)]);
  const weights = new Map<string, Tensor>([...start, ...own]);
  const state = options.state ?? optimizer.init(new Map(own));
  const apart = runtime.apart(); // what a step needs is more than all that comes after it
  const gradients = gradientsOf(apart, objective, weights, "training");

  async function step(batch: Batch): Promise<StepReport> {
    const { loss, norm, of, statistics } = await gradients(weights, batch);
    checkConverging(state.step + 1, loss, norm);
    if (options.state !== undefined) checkMoments(state, [...of.keys()]);
    const lr = schedule(state.step);
    optimizer.update(weights, of, state, lr, clipFactor(norm, clip));
    for (const [name, value] of statistics) weights.set(name, value);
    constrain?.(weights);
    return { step: state.step, loss, gradientNorm: norm, lr };
  }
  return {
    atOnce: 1,
    async take(batches) {
      const reports: StepReport[] = [];
      for (const batch of batches) reports.push(await step(batch));
      return reports;
    },
    now: async () => ({ weights, state }),
    release: () => apart.release(),
  };
}
