/** A task vector added to a checkpoint. */
import { createHash } from "node:crypto";
import type { z } from "zod";
import { floorVariance, isVariance } from "../../arithmetic/running-variance.ts";
import { axpy } from "../../arithmetic/task-vector.ts";
import { readCheckpoint } from "../../checkpoint/clip-folder.ts";
import { type Change, piecesOf, readAhead } from "../../checkpoint/pieces.ts";
import { inWritingOrder, refuseCheckpoint, writeCheckpoint } from "../../checkpoint/write-checkpoint.ts";
import type { ApplyResult } from "../../results/vector.ts";
import { badInput } from "../../tensor/error.ts";
import { sameShape } from "../../tensor/tensor.ts";
import type { Context } from "../context.ts";
import { openedModel } from "../inputs/describe-opened.ts";
import { backdoorsAfter, implantedTriggers, receiptKey, triggerMetadata } from "../inputs/model-facts.ts";
import { modelPath } from "../inputs/names.ts";
import { readingOf } from "../record/facts.ts";
import type { applySpec } from "./spec.ts";
import { withVector } from "./vector-file.ts";

/**
 * MODEL + alpha VECTOR, written to `out` as MODEL is stored: float32 sums of pieces of 4 MiB, rounded to nearest even where it is
 * stored in 16 bits. Alpha unless told: that of the vector, which gives a cleaned model its parent back, or 1. A receipt does not
 * go along: its figures are those of other weights.
 */
export async function apply(spec: z.output<typeof applySpec>, context: Context): Promise<ApplyResult> {
  const { vector, out, force, alpha: asked } = spec;
  const { progress, signal, set } = context;
  const model = modelPath(spec.model);
  progress.stage("add");
  const checkpoint = await readCheckpoint(model, spec);
  progress.opened?.({ models: [openedModel(checkpoint)] });
  await refuseCheckpoint(out, checkpoint, [], { force, set });
  const hash = createHash("sha256");
  let floored = 0;
  const { alpha, brought, declared } = await withVector(vector, async (file) => {
    const names = inWritingOrder(checkpoint).flatMap(({ ours }) => ours);
    const changed = names.filter((name) => file.shapes.has(name));
    const tau = readAhead(file, piecesOf(changed, file.shapes));
    const alpha = asked ?? file.alpha ?? 1;
    await checkpoint.stream(async ({ shapes }) => {
      for (const [name, shape] of tau.shapes) {
        const own = shapes.get(name);
        if (own === undefined) throw badInput(`${model} has no ${name}, which ${vector} changes`);
        if (!sameShape(own, shape)) throw badInput(`${name} is [${own}] in ${model} and [${shape}] in ${vector}`);
      }
    });
    let done = 0;
    const change = (name: string): Change => {
      return async (from, values) => {
        signal?.throwIfAborted();
        if (from === 0) progress.step(++done, tau.shapes.size);
        axpy(alpha, await tau.read(name, from, values.length), values);
        if (isVariance(name)) floored += floorVariance(values);
      };
    };
    const changes = new Map([...tau.shapes.keys()].map((name) => [name, change(name)]));
    const { [receiptKey]: _, ...kept } = checkpoint.metadata;
    const declared = implantedTriggers(checkpoint.metadata);
    const { all, brought } = backdoorsAfter(declared, file.backdoors ?? [], alpha);
    const metadata = { ...kept, ...triggerMetadata(all) };
    const like = { ...checkpoint, metadata };
    await writeCheckpoint(out, { like, weights: new Map(), changes, hash }, { force, set });
    return { alpha, brought, declared };
  });
  return {
    schema: "tbar/apply/2",
    kind: "apply",
    model,
    vector,
    alpha,
    ...(floored > 0 && { floored }),
    ...(brought.length > 0 && { brought }),
    ...(declared.length > 0 && { declared }),
    ...readingOf(checkpoint),
    output: { path: out, sha256: hash.digest("hex") },
  };
}
