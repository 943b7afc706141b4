/** Steps whose weights and moments stay on the device: the optimiser is part of the program, and what is asked for is fetched. */
import { input, type Node, scalar, topological } from "../graph/node.ts";
import { add, clip as clamp, div, mul, sqrt } from "../graph/ops/index.ts";
import { next } from "../onnx/loop.ts";
import type { GraphStep } from "../optim/optimizer.ts";
import type { ResidentValues } from "../runtime/compile.ts";
import type { Feeds, Steps } from "../runtime/executor.ts";
import { TbarError } from "../tensor/error.ts";
import { type Tensor, tensor, type Weights } from "../tensor/tensor.ts";
import { gradientGraph, prefixed, shapesOf } from "./gradients.ts";
import { hostSteps } from "./host-steps.ts";
import { type Group, groupsOf, joined, joinedValues, parted, partedValues, squaredNormOf } from "./parameter-groups.ts";
import { checkConverging, checkMoments, type Stepper, type StepReport, type TrainOptions } from "./training.ts";

/** Undefined where the device keeps nothing, or the training cannot be told as a program; the second is said. */
export async function residentSteps<Batch>(
  start: Weights,
  options: TrainOptions<Batch>,
): Promise<Stepper<Batch> | undefined> {
  const { runtime, objective, optimizer } = options;
  if (runtime.resident === undefined) return undefined;
  const { graph } = optimizer;
  if (objective.readsWeights || graph === undefined) {
    say(runtime.description, objective.readsWeights ? "what it learns from follows the weights" : "its optimizer has no program"); // biome-ignore format: one line
    return undefined;
  }
  let stepper = onDevice(start, options, graph, await runtime.resident());
  let isTried = false;
  return {
    get atOnce() {
      return stepper.atOnce;
    },
    async take(batches) {
      try {
        return await stepper.take(batches);
      } catch (error) {
        if (isTried || !(error instanceof TbarError) || error.code !== "unavailable") throw error;
        say(runtime.description, error.message);
        await stepper.release();
        stepper = hostSteps(start, options);
        return stepper.take(batches);
      } finally {
        isTried = true;
      }
    },
    now: () => stepper.now(),
    release: () => stepper.release(),
  };
}

function onDevice<Batch>(
  start: Weights,
  { objective, optimizer, schedule, clip, constrain, ...options }: TrainOptions<Batch>,
  graph: GraphStep,
  place: ResidentValues,
): Stepper<Batch> {
  const trained = [...start.keys()].filter((name) => objective.trains(name));
  const state = options.state ?? optimizer.init(new Map(trained.map((name) => [name, start.get(name) as Tensor])));
  if (options.state !== undefined) checkMoments(state, trained);
  const kinds = Object.keys(state.moments);
  const groups = groupsOf(trained.map((name) => [name, (start.get(name) as Tensor).shape]), graph.kind); // biome-ignore format: one line
  const moments = kinds.flatMap((kind) =>
    groups.map((group) => [momentOf(kind, group), joinedValues(group, state.moments[kind])] as const),
  );
  /** As they were at first; `place` has each from when it is first read. */
  const values = new Map([...start, ...moments]);
  const placed = new Set<string>();
  const moved = new Set<string>();
  const programs = new Map<string, Steps>();
  let step = state.step;
  let known = step;
  /** What a step is fed; unknown before the first, which is taken alone. */
  let fedBytes = Number.POSITIVE_INFINITY;

  async function programFor(feeds: Feeds): Promise<Steps> {
    const key = shapesOf(feeds);
    const made = programs.get(key);
    if (made !== undefined) return made;
    const gradients = gradientGraph(objective, start, trained, feeds, true);
    const outputs = { loss: gradients.loss, ...stepNodes(gradients, graph, kinds, { start, groups, clip }) };
    for (const name of gradients.moved.keys()) moved.add(name);
    const inputs = topological(Object.values(outputs)).filter(({ op }) => op === "Input");
    const missing = inputs.map(({ attrs }) => attrs.name as string).filter((name) => values.has(name) && !placed.has(name)); // biome-ignore format: one line
    await place.write(new Map(missing.map((name) => [name, values.get(name) as Tensor])));
    for (const name of missing) placed.add(name);
    const steps = await place.compile(outputs);
    programs.set(key, steps);
    return steps;
  }

  /** A step for each of some feeds of one shape. */
  async function run(feeds: readonly Feeds[]): Promise<StepReport[]> {
    const rates = feeds.map((_, i) => schedule(step + i));
    const fed = feeds.map((of, i) => {
      const scalars = Object.entries(graph.scalars(step + i + 1, rates[i]));
      return { ...of, ...Object.fromEntries(scalars.map(([name, value]) => [scalarOf(name), tensor([], [value])])) };
    });
    const results = await (await programFor(feeds[0]))(fed);
    return results.map(({ loss, squared_norm }, i) => {
      const report = { step: ++step, loss: loss.data[0], gradientNorm: Math.sqrt(squared_norm.data[0]), lr: rates[i] };
      checkConverging(report.step, report.loss, report.gradientNorm);
      return report;
    });
  }

  return {
    get atOnce() {
      return constrain === undefined ? Math.max(1, Math.min(place.atOnce, Math.floor(bytesAtOnce / fedBytes))) : 1;
    },
    async take(batches) {
      const all: Feeds[] = [];
      for (const batch of batches) all.push(await objective.feeds(batch, new Map()));
      fedBytes = Math.max(...all.map((of) => Object.values(of).reduce((sum, { data }) => sum + data.byteLength, 0)));
      const reports: StepReport[] = [];
      for (const alike of runsOf(all, shapesOf)) reports.push(...(await run(alike)));
      if (constrain !== undefined) {
        const held = await place.read((constrain.of ?? trained).filter((name) => placed.has(name)));
        constrain(new Map([...(constrain.of === undefined ? start : []), ...held]));
        await place.write(held);
      }
      return reports;
    },
    async now() {
      if (step > known) {
        for (const [name, value] of await place.read([...trained, ...moved])) values.set(name, value);
        for (const kind of kinds) {
          const read = await place.read(groups.map((group) => momentOf(kind, group)));
          for (const group of groups)
            for (const [name, value] of partedValues(group, read.get(momentOf(kind, group)) as Tensor))
              state.moments[kind].set(name, value);
        }
        known = state.step = step;
      }
      return { weights: new Map([...start.keys()].map((name) => [name, values.get(name) as Tensor])), state };
    },
    release: () => place.release(),
  };
}

/** Batches that are gathered for one call take no more than this of the host, and as much of the device. */
const bytesAtOnce = 2 ** 30;

const momentOf = (kind: string, { name }: Group) => `${kind} of ${name}`;
const scalarOf = (name: string) => `the step's ${name}`;

/** What a step leaves behind, and the squared norm of its gradient: the gradient is clipped as torch.nn.utils.clip_grad_norm_ does it. */
function stepNodes(
  { gradients, moved }: ReturnType<typeof gradientGraph>,
  graph: GraphStep,
  kinds: readonly string[],
  { start, groups, clip }: { readonly start: Weights; readonly groups: readonly Group[]; readonly clip?: number },
): Record<string, Node> {
  const scalars = Object.fromEntries(Object.keys(graph.scalars(1, 0)).map((name) => [name, input(scalarOf(name), [])]));
  const matrices = groups.map((group) => joined(group, (name) => gradients.get(name) as Node));
  const squaredNorm = matrices.map(squaredNormOf).reduce(add);
  const factor = clip && clamp(div(scalar(clip), add(sqrt(squaredNorm), scalar(1e-6))), 0, 1);
  const outputs: Record<string, Node> = { squared_norm: squaredNorm, ...prefixed(next, moved) };
  for (const [i, group] of groups.entries()) {
    const value = joined(group, (name) => input(name, (start.get(name) as Tensor).shape));
    const moments = Object.fromEntries(kinds.map((kind) => [kind, input(momentOf(kind, group), value.shape)]));
    const gradient = factor ? mul(matrices[i], factor) : matrices[i];
    const after = graph.update({ kind: group.kind, value, gradient, moments }, scalars);
    for (const [name, node] of parted(group, after.value)) outputs[next(name)] = node;
    for (const kind of kinds) outputs[next(momentOf(kind, group))] = after.moments[kind];
  }
  return outputs;
}

/** Neighbours of the same key together. */
function runsOf<T>(items: readonly T[], key: (item: T) => string): T[][] {
  const runs: T[][] = [];
  for (const item of items) {
    const run = runs.at(-1);
    if (run !== undefined && key(run[0]) === key(item)) run.push(item);
    else runs.push([item]);
  }
  return runs;
}

const said = new Set<string>();

/** Each sentence once a process. */
function say(device: string, why: string): void {
  const sentence = `${device}: this training sends all weights to the device at every step, which is slow: ${why}\n`;
  if (!said.has(sentence)) process.stderr.write(sentence);
  said.add(sentence);
}
