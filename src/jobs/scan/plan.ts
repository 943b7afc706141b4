/** What a scan will take. */
import { rows } from "../../detectors/descend.ts";
import type { Context } from "../context.ts";
import { promptsOf } from "../inputs/source.ts";
import { type Estimate, estimate } from "../progress/estimate.ts";
import type { Part } from "../progress/stages.ts";
import { type Prepared, prepare } from "./prepare.ts";
import type { ScanSpec } from "./spec.ts";

/** The parts of a scan, which are its stages. */
export function scanStages({ detectors, classNames, base, drawn }: Prepared): readonly Part[] {
  const size = { classes: classNames.length, base: base !== undefined, fit: drawn.fit.size, held: drawn.held.size };
  return detectors.map((detector) => ({ what: detector.name, ...detector.cost(size) }));
}

export async function planScan(spec: ScanSpec, context: Context): Promise<Estimate> {
  const ready = await prepare(spec, context);
  const { clip, source, drawn } = ready;
  const seen = drawn.fit.size + drawn.held.size;
  return estimate({
    job: "scan",
    clip,
    images: drawn.fit,
    batch: rows,
    threads: spec.threads,
    parts: [{ what: "load", read: seen, encoded: seen, texts: promptsOf(source) }, ...scanStages(ready)],
    kept: seen,
  });
}
