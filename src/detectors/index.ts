/** The one place that maps the names people type to detectors. */
import { unknownName } from "../tensor/error.ts";
import { amplifiedPatch } from "./amplified-patch.ts";
import { btiDbf } from "./bti-dbf.ts";
import { clipInspector } from "./clip-inspector.ts";
import { collapse } from "./collapse.ts";
import { decree } from "./decree.ts";
import type { Detector } from "./detector.ts";
import { fittedBlend } from "./fitted-blend.ts";
import { fittedDelta } from "./fitted-delta.ts";
import { fittedPatch } from "./fitted-patch.ts";
import { fittedWarp } from "./fitted-warp.ts";
import { inverTune } from "./invertune.ts";
import { neuralCleanse } from "./neural-cleanse.ts";
import { randomPlace } from "./random-place.ts";
import { sines } from "./sine.ts";
import { weightStatistics } from "./weight-statistics.ts";

/** Every detector, in the order of lists. A new one is a file and a word here. */
export const detectors: readonly Detector[] = [
  fittedPatch,
  fittedDelta,
  fittedBlend,
  sines,
  amplifiedPatch,
  fittedWarp,
  randomPlace,
  collapse,
  decree,
  neuralCleanse,
  clipInspector,
  btiDbf,
  inverTune,
  weightStatistics,
];

/** Detectors by name. Throws `bad-input` on an unknown one. */
export function detectorsNamed(names: readonly string[]): readonly Detector[] {
  return names.map((name) => {
    const found = detectors.find((one) => one.name === name);
    if (found === undefined) throw unknownName("detector", name, detectors.map(({ name }) => name)); // biome-ignore format: one line
    return found;
  });
}
