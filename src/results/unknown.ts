/** What a cleaning without knowledge of the attack adds to its result: the scan before, the rounds, and the truth where it is known. */
import { z } from "zod";
import { type Frozen, maybe, rate } from "./base.ts";
import { scanResult, verdicts } from "./scan.ts";

const pair = z.looseObject({ before: rate, after: rate });

const round = z.looseObject({
  target: z.string().describe("The class that the attack was taken to lead to."),
  proxies: z
    .array(z.looseObject({ form: z.string(), asr: rate }))
    .describe("Recovered triggers that stood for the attack's own, and how often they hit held-out images before."),
  method: z.string(),
  alpha: z.number(),
  settings: z.record(z.string(), z.union([z.number(), z.string()])),
  proxyAsr: pair.describe("On test images, each with one of the proxies."),
  retention: z.number().describe("CA after / CA before, of this round."),
  rescan: z
    .looseObject({
      verdict: z.enum(verdicts),
      probability: z.number().optional(),
      target: maybe(z.string(), "The class that the scan still finds; absent where it finds none."),
    })
    .describe("The same scan of the cleaned weights."),
});
export type RoundResult = Frozen<z.output<typeof round>>;

const measuredTruth = z.looseObject({
  trigger: z.looseObject({ kind: z.string() }),
  target: z.string(),
  asr: pair.describe("On test images."),
  variants: z.record(z.string(), rate).describe("After the first round, by method."),
});

const truth = measuredTruth.extend({
  note: z.string(),
  others: maybe(z.array(measuredTruth), "Further triggers that the metadata name."),
});
export type Truth = Frozen<z.output<typeof truth>>;

export const unknownFields = {
  scan: maybe(scanResult, "With --unknown: the scan of the model as it came."),
  rounds: maybe(z.array(round), "With --unknown: what each round of cleaning did."),
  truth: maybe(truth, "With --unknown: the trigger of the checkpoint's metadata, measured at the end alone."),
};
