/** What may be asked of a calibration. */
import { z } from "zod";
import { a, file, neededOut, under } from "../fields.ts";
import { scanSpec } from "../scan/spec.ts";

const calibrating = under("Calibration:");
const own = {
  model: true,
  base: true,
  quick: true,
  stopEarly: true,
  calibration: true,
  baseline: true,
  failOn: true,
  sarif: true,
  report: true,
  force: true,
} as const;
const scanFields = scanSpec.omit(own).shape;

export const calibrateSpec = z.strictObject({
  models: calibrating(
    z.string(),
    "YAML: a list of models, each { model or scan, base, label: clean or backdoored, lineage, attack, target }",
    { ...file, argument: true },
  ),
  name: calibrating(a.text(), "what it is called in results (default: the list's file name)", "name"),
  ...scanFields,
  state: calibrating(a.text(), "folder that keeps the scans, so that the same command goes on from them", {
    value: "folder",
    machine: true,
  }),
  ...neededOut("where the calibration goes, for tbar scan --calibration", "where shall the calibration go?", "file"),
});
export type CalibrateSpec = z.output<typeof calibrateSpec>;
