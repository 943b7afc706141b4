/** The same weights under other names. */
import { readCheckpoint } from "../../checkpoint/clip-folder.ts";
import { architectureOf } from "../../checkpoint/config/config.ts";
import { orderChange } from "../../checkpoint/config/preprocess.ts";
import { convertCheckpoint } from "../../checkpoint/names/convert.ts";
import type { ConvertResult } from "../../results/convert.ts";
import type { Context } from "../context.ts";
import { openedModel } from "../inputs/describe-opened.ts";
import { modelPath } from "../inputs/names.ts";
import { readingOf } from "../record/facts.ts";
import type { ConvertSpec as Spec } from "./spec.ts";

/** The checkpoint with other keys; its values are the same bytes. Throws `bad-input` where there is no such form of it. */
export async function convert(spec: Spec, { progress, set }: Context): Promise<ConvertResult> {
  const { to, out, force } = spec;
  const model = modelPath(spec.model);
  const checkpoint = await readCheckpoint(model, spec);
  progress.stage("convert");
  progress.opened?.({ models: [openedModel(checkpoint)] });
  const converted = await convertCheckpoint(checkpoint, to, out, { force, set });
  const written = await readCheckpoint(out);
  const pixels = orderChange(checkpoint.preprocess.order, written.preprocess.order);
  return {
    schema: "tbar/convert/2",
    kind: "convert",
    model,
    architecture: architectureOf(checkpoint.config),
    to,
    ...converted,
    ...readingOf(checkpoint),
    ...(pixels && { pixels }),
    output: { path: out, sha256: await written.sha256() },
  };
}
