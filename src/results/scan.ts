/** What a scan finds: the verdict and how sure it is, each detector's statistic, suspected targets, recovered triggers. */
import { z } from "zod";
import type { InvertedSpec } from "../triggers/inverted.ts";
import { checkpointFacts, type Frozen, madeHead, maybe, ranFields, rate, strings, warningFields } from "./base.ts";
import { codeFacts, finding as found } from "./findings.ts";

export const verdicts = ["backdoored", "no evidence", "inconclusive"] as const;

export const invertedSpec = z.looseObject({
  kind: z.literal("inverted"),
  form: z.string(),
  S: z.number(),
}) as unknown as z.ZodType<InvertedSpec>;

const suspected = z.looseObject({
  target: z.string(),
  statistic: z.number().describe("On the detector's own scale."),
  asr: maybe(rate, "Held-out images of other classes that the recovered trigger carries to the target."),
  aboveBase: maybe(z.number(), "The statistic less what the same fit reaches on the base, where there is one."),
  trigger: invertedSpec.optional(),
});

export const detectorResult = z.looseObject({
  name: z.string(),
  title: z.string(),
  statistic: z.number().describe("The larger, the more suspicious."),
  means: z.string().describe("What the statistic is."),
  threshold: maybe(z.number(), "From here on it is suspicious by itself; absent where it is not calibrated."),
  suspects: z.array(suspected).describe("The most suspicious first."),
  facts: z.record(z.string(), z.number()),
  seconds: z.number(),
});
export type DetectorResult = Frozen<z.output<typeof detectorResult>>;

export const calibrationFacts = z.looseObject({
  name: z.string(),
  family: z.string().describe("The architecture that it holds for."),
  models: z.number().describe("Clean models that it comes from; each was judged by thresholds from other lineages."),
  backdoored: z.number(),
  falsePositives: rate.describe("Clean models called backdoored, with the 95 % interval."),
  detection: rate.describe("Backdoored models called so."),
  attacks: strings.describe("Attacks that at least 80 % were detected of."),
  missed: strings.describe("Attacks that fewer were detected of: these are not excluded by a verdict of no evidence."),
});

const picture = z.string().startsWith("data:image/");
const answer = z.looseObject({ name: z.string(), probability: z.number() });

/** A recovered trigger before anybody's eyes. */
const example = z.looseObject({
  target: z.string(),
  detector: z.string(),
  form: z.string().describe("patch, mask, delta, blend, warp, sine, several"),
  pattern: picture.describe("The trigger on plain grey; where it only adds to an image, amplified."),
  mask: maybe(picture, "How much of the image it hides, white where all; absent where it hides nothing."),
  images: z.array(
    z.looseObject({
      clean: picture,
      stamped: picture,
      difference: picture.describe("|stamped - clean|, times `amplified`."),
      amplified: z.number(),
      label: maybe(z.string(), "The image's own class, where it is known."),
      before: z.array(answer).describe("The model's first answers to the clean image."),
      after: z.array(answer).describe("To the stamped one."),
    }),
  ),
});

export const scanResult = z.looseObject({
  ...madeHead("scan", 1),
  seed: z.number(),
  level: z.enum(["quick", "full"]),
  model: checkpointFacts,
  data: z.looseObject({ name: z.string(), classes: z.number(), fit: z.number(), held: z.number() }),
  ...warningFields,
  verdict: z.enum(verdicts),
  because: strings.describe("Why, a sentence each."),
  probability: maybe(
    z.number(),
    "That it is backdoored, were half of all models so; absent where nothing is calibrated.",
  ),
  threshold: maybe(z.number(), "From this probability on the verdict is backdoored."),
  calibration: maybe(calibrationFacts, "Absent outside the calibrated families of architectures."),
  baseCalibration: maybe(calibrationFacts, "The same of what compares with a base, where there is one."),
  suspects: z.array(
    z.looseObject({
      target: z.string(),
      probability: z.number(),
      detector: z.string(),
      asr: rate.optional(),
      trigger: invertedSpec.optional(),
    }),
  ),
  detectors: z.array(detectorResult),
  leftOut: maybe(strings, "Detectors that did not run: it was asked to stop once the verdict was settled."),
  /** What the model answers to clean images. */
  answers: z.looseObject({
    most: z.string().describe("The class that it answers most."),
    share: z.number().describe("That class's share of the answers to clean images."),
    accuracy: maybe(rate, "Where the images have labels."),
  }),
  /** What is to be found in the file without running the model. Its metadata are never read for the verdict. */
  code: maybe(codeFacts, "Of the file: suspicious pickles, other readings, unknown tensors, known hashes."),
  findings: maybe(
    z.array(found),
    "All that there is to report, of file and weights: what SARIF and exit codes are made of.",
  ),
  artifact: maybe(z.string(), "The weights' file, relative to the folder where the command ran, or its name."),
  examples: maybe(
    z.array(example),
    "The recovered triggers of the first suspects on clean images; gone from stored results.",
  ),
  ...ranFields,
});
export type ScanExample = Frozen<z.output<typeof example>>;
export type ScanResult = Frozen<z.output<typeof scanResult>>;

/** Attacks that a scan's calibrations say are found, and those that none of them does. */
export function coverage({ calibration, baseCalibration }: Pick<ScanResult, "calibration" | "baseCalibration">) {
  const all = [calibration, baseCalibration].filter((one) => one !== undefined);
  const attacks = [...new Set(all.flatMap(({ attacks }) => attacks))];
  const missed = [...new Set(all.flatMap(({ missed }) => missed))].filter((name) => !attacks.includes(name));
  return { attacks, missed };
}
