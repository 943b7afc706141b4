/** A task vector made from two checkpoints. */
import type { z } from "zod";
import { difference } from "../../arithmetic/task-vector.ts";
import { readCheckpoint } from "../../checkpoint/clip-folder.ts";
import { type Parameters, pieces, piecesOf, readAhead } from "../../checkpoint/pieces.ts";
import type { VectorResult } from "../../results/vector.ts";
import { badInput } from "../../tensor/error.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import type { Context } from "../context.ts";
import { openedModel } from "../inputs/describe-opened.ts";
import { backdoorsBetween, implantedTriggers } from "../inputs/model-facts.ts";
import { modelPath } from "../inputs/names.ts";
import { checkSameParameters } from "../inputs/same-parameters.ts";
import { readingOf } from "../record/facts.ts";
import { besideText, differingBeside } from "./beside.ts";
import { describe, type Measured } from "./describe.ts";
import type { diffSpec } from "./spec.ts";
import { vectorOrder, writeVector } from "./vector-file.ts";

/**
 * tau = TO - FROM in float32, written to `out`; tensors that do not differ are left out. Nothing is held but a few pieces of
 * 4 MiB, whatever the size. Throws `bad-input` when nothing differs, or names or shapes do.
 */
export async function diff(spec: z.output<typeof diffSpec>, context: Context): Promise<VectorResult> {
  const { out, force } = spec;
  const { progress, signal, set } = context;
  const [from, to] = [modelPath(spec.from), modelPath(spec.to)];
  const [a, b] = [await readCheckpoint(from, spec), await readCheckpoint(to, spec)];
  const beside = await differingBeside(a, b);
  progress.opened?.({ models: [a, b].map(openedModel) });
  const backdoors = backdoorsBetween(implantedTriggers(a.metadata), implantedTriggers(b.metadata));
  const parent = a.sha256();
  parent.catch(() => {}); // thrown where it is awaited
  const measured = await a.stream((x) =>
    b.stream(async (y) => {
      checkSameParameters({ path: from, ...x }, { path: to, ...y }, "only models of one architecture differ");
      progress.stage("compare");
      const changed = await differing(x, y, signal);
      if (changed.length === 0)
        throw badInput(
          beside.length === 0
            ? `${from} and ${to} have the same weights: there is no difference to write`
            : `${from} and ${to} have the same parameters, so there is no vector to write, but ${besideText(beside)}`,
        );
      progress.stage("subtract");
      const measured: Measured[] = [];
      const plan = () => piecesOf(vectorOrder(changed), x.shapes);
      const tau = differences(readAhead(x, plan()), readAhead(y, plan()), changed, (part) => {
        signal?.throwIfAborted();
        progress.step(measured.push(part), changed.length);
      });
      await writeVector(out, { tau, parent, backdoors }, { force, set });
      return measured;
    }),
  );
  const { assumptions = [], ignored } = readingOf(a, b);
  const said = beside.length === 0 ? assumptions : [...assumptions, besideText(beside)];
  return {
    ...(await describe(out, { parent: await parent, backdoors }, measured)),
    ...(said.length > 0 && { assumptions: said }),
    ...(ignored && { ignored }),
  };
}

/** Values read first of each tensor to see whether it differs at all: most that do differ there. */
const probeSize = 2 ** 14;

async function differing(x: Parameters, y: Parameters, signal: AbortSignal | undefined): Promise<string[]> {
  const found: string[] = [];
  for (const [name, shape] of x.shapes) {
    const size = sizeOf(shape);
    for (const [from, count] of [[0, Math.min(probeSize, size)], ...pieces(size)] as const) {
      signal?.throwIfAborted();
      const [before, after] = [await x.read(name, from, count), await y.read(name, from, count)];
      if (before.every((v, i) => v === after[i])) continue;
      found.push(name);
      break;
    }
  }
  return found;
}

/** y - x as it is written; `done` is told of each tensor when it has gone by. */
function differences(x: Parameters, y: Parameters, names: readonly string[], done: (part: Measured) => void) {
  return names.map((name) => {
    const shape = x.shapes.get(name) ?? [];
    const data = async function* () {
      let square = 0;
      for (const [from, count] of pieces(sizeOf(shape))) {
        const before = await x.read(name, from, count);
        const after = await y.read(name, from, count);
        square += difference(before, after);
        yield after;
      }
      done({ name, values: sizeOf(shape), square });
    };
    return { name, shape, data };
  });
}
