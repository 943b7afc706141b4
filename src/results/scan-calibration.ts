/** How clean and backdoored models of an architecture look to the scan, and how often it errs on models that set no threshold. */
import { z } from "zod";
import { type Frozen, madeHead, quotient, rate } from "./base.ts";

const figure = z.looseObject({ value: quotient, interval: z.tuple([z.number(), z.number()]) });

export const scanCalibration = z.looseObject({
  ...madeHead("scan-calibration", 1),
  name: z.string(),
  family: z.string().describe("The architecture that it holds for, as results spell it."),
  level: z.enum(["quick", "full"]),
  images: z.looseObject({ fit: z.number(), held: z.number() }),
  classes: z.number(),
  features: z
    .array(z.looseObject({ name: z.string(), mean: z.number(), deviation: z.number() }))
    .describe(
      "Detectors whose statistics of one class are weighed, and as DETECTOR:FACT what of a whole scan is; how log odds of the highest lie among clean models.",
    ),
  intercept: z.number(),
  slope: z.number(),
  threshold: z.number().describe("From this probability on: backdoored."),
  doubtful: z.number().describe("From this probability on, below the threshold: inconclusive."),
  mostShare: z
    .number()
    .describe(
      "A model that gives one answer to more clean images than this is no classifier of these classes, and outside.",
    ),
  leastAccuracy: z
    .number()
    .describe("The same of one that is right on fewer clean images than this, where they have labels."),
  thresholds: z.record(z.string(), z.number()).describe("Of each detector alone: no clean model reaches it."),
  models: z.looseObject({
    clean: z.number(),
    backdoored: z.number(),
    outside: z.number().describe("Models that are no classifiers of these classes, and not judged."),
    lineages: z.array(z.string()),
  }),
  /** Each lineage judged by thresholds that come from the other half of the lineages alone. */
  figures: z.looseObject({
    falsePositives: rate,
    inconclusive: z.looseObject({ clean: rate, backdoored: rate }),
    detection: rate,
    target: rate.describe("Of the detected, those whose target was named first."),
    auroc: figure,
    crossEntropy: z.number().describe("Mean over models, both kinds counting alike, in nats."),
    brier: z.number(),
    detectionAt: z
      .looseObject({ "0.01": rate, "0.05": rate })
      .describe("At so many false positives on the same models."),
  }),
  attacks: z.record(z.string(), z.looseObject({ detection: rate, inconclusive: rate, target: rate })),
});
export type ScanCalibration = Frozen<z.output<typeof scanCalibration>>;
