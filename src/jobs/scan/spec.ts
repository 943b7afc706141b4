/** What may be asked of a scan. */
import { z } from "zod";
import { a, dataFields, file, forceField, input, inputFields, longRunFields, output, under } from "../fields.ts";

/** From which finding on a scan fails. */
export const failures = ["inconclusive", "backdoored", "never"] as const;

const scanning = under("Scan:");

export const scanSpec = z.strictObject({
  ...inputFields,
  data: input(z.string(), dataFields.data.description as string, {
    names: "file",
    value: "path",
    question: "which clean images? A path, or the built-in world: --data shapes",
  }),
  base: input(
    a.text(),
    "the model that it was made from, if you have it: what was put in since is amplified, and more is found",
    {
      names: "model",
      value: "path",
    },
  ),
  quick: scanning(a.isAsked(), "the calibrated detectors alone, a minute or two on a small model"),
  stopEarly: scanning(
    a.isAsked(),
    "go no further once it is settled that the model is backdoored; the detectors left out might have put another target first",
  ),
  calibration: scanning(a.text(), "of tbar scan calibrate, for architectures that tbar has none of", file),
  detectors: scanning(z.array(z.string()).optional(), "detectors: names below, or all; several with commas", {
    name: "detector",
    value: "name",
  }),
  sizes: z
    .strictObject({
      fit: scanning(z.int().min(16).max(4096).default(128), "clean images to fit triggers on"),
      held: scanning(z.int().min(32).max(4096).default(64), "other clean images to measure them on"),
    })
    .prefault({}),
  baseline: scanning(
    a.text(),
    "accepted findings, a YAML or JSON file (accepted: fingerprint, reason): they are named and fail nothing",
    file,
  ),
  ...longRunFields,
  failOn: output(
    z.enum(failures).default("inconclusive"),
    `what ends with another exit code than 0: ${failures.join(", ")}`,
    { value: "what", kind: "--fail-on" },
  ),
  sarif: output(a.text(), "write the findings as SARIF 2.1.0", "file"),
  report: output(a.text(), "write an HTML report, with the recovered triggers", "file"),
  force: forceField(),
});
export type ScanSpec = z.output<typeof scanSpec>;
