/** A stored result of a cleaning, checked before it is drawn. */
import { z } from "zod";
import { resultHead } from "../../results/base.ts";
import { readResult } from "../../results/read.ts";
import type { CleanResult } from "../../results/result.ts";
import { storedVerdict } from "../record/verdict.ts";

/** JSON has no NaN: a rate of no images is null there, which is drawn alike. */
const value = z.number().nullable();
const rate = z.looseObject({ value, n: z.number(), interval: z.tuple([z.number(), z.number()]) });
const scores = z.looseObject({
  ca: rate,
  asr: rate,
  withoutTrigger: rate.optional(),
  triggeredAccuracy: rate.optional(),
  stillRight: rate.optional(),
});
const pair = z.looseObject({ before: rate, after: rate });
const picture = z.string().startsWith("data:image/");

const bounds = z.tuple([value, value]).optional();

const variant = z.looseObject({
  after: scores,
  retention: value,
  retentionInterval: bounds,
  alpha: z.number(),
  seconds: z.number(),
  chosen: z.boolean(),
  control: z.boolean(),
  validation: scores,
  satisfied: z.boolean(),
  trials: z.array(scores.extend({ alpha: z.number() })),
  settings: z.record(z.string(), z.union([z.number(), z.string()])),
});

const strings = z.array(z.string());
const counts = z.record(z.string(), z.number());
const openedData = z.looseObject({
  name: z.string(),
  leftOut: counts,
  notes: strings,
  broken: z.looseObject({ texts: z.number(), first: z.string() }).optional(),
  sets: z.record(z.string(), z.looseObject({ images: z.number(), asked: z.number().optional() })).optional(),
});
const openedModel = z.looseObject({
  name: z.string(),
  preprocess: z.string(),
  activation: z.string(),
  assumptions: strings,
  ignored: strings,
});

const schema = z.looseObject({
  ...resultHead("clean", 2),
  tbar: z.string(),
  created: z.string(),
  command: z.string(),
  seed: z.number(),
  model: z.looseObject({
    path: z.string(),
    sha256: z.string(),
    layout: z.string(),
    dtype: z.string(),
    architecture: z.string(),
    parameters: z.number(),
  }),
  trigger: z.looseObject({ kind: z.string(), spec: z.looseObject({}), source: z.string() }),
  target: z.string(),
  data: z.looseObject({
    name: z.string(),
    forget: z.number(),
    clean: z.number(),
    validation: z.number(),
    test: z.number(),
    testTriggered: z.number(),
    labels: z.enum(["given", "agreement"]),
  }),
  opened: z
    .looseObject({
      models: z.array(openedModel).optional(),
      data: z.record(z.string(), openedData).optional(),
    })
    .optional(),
  warnings: strings.optional(),
  recipe: z.looseObject({ lr: z.number(), epochs: z.number(), batch: z.number() }).optional(),
  defaults: z.looseObject({ family: z.string(), settings: counts, reason: z.string() }).optional(),
  before: scores,
  after: scores,
  retention: value,
  retentionInterval: bounds,
  alpha: z.number(),
  method: z.string(),
  seconds: z.number(),
  variants: z.record(z.string(), variant),
  proof: z.looseObject({
    floor: rate.optional(),
    shifted: z.array(pair.extend({ what: z.string() })),
    unseenClasses: pair.optional(),
    retrieval: pair.optional(),
    rebound: z.looseObject({ steps: z.number(), scores }).optional(),
    restore: z.number().optional(),
  }),
  floored: z.number().optional(),
  output: z.looseObject({ path: z.string(), sha256: z.string() }).optional(),
  remaining: z.array(z.looseObject({ kind: z.string(), target: z.string() })).optional(),
  verdict: z.looseObject({
    verified: z.boolean().optional(),
    proven: z.boolean(),
    headline: z.string(),
    reasons: z.array(z.string()),
    limits: z.looseObject({ asr: z.number(), retention: z.number() }).optional(),
  }),
  examples: z.array(
    z.looseObject({
      clean: picture,
      triggered: picture,
      difference: picture,
      amplified: z.number().optional(),
      inset: z
        .looseObject({
          left: z.number(),
          top: z.number(),
          side: z.number(),
          of: z.number(),
          clean: picture,
          triggered: picture,
        })
        .optional(),
      label: z.string().optional(),
      before: z.string(),
      after: z.string(),
    }),
  ),
  triggerPicture: picture.optional(),
  timings: z.array(z.looseObject({ what: z.string(), seconds: z.number() })),
  machine: z.looseObject({
    processor: z.string(),
    cores: z.number(),
    threads: z.number(),
    memoryGiB: z.number(),
    node: z.string(),
    runtime: z.string(),
  }),
});

/** The value itself, so that it is drawn as it was, but for the verdict of 0.1.0, which is judged again. Throws `bad-input` naming the first fields that do not fit, or figures that contradict each other. */
export function checkCleanResult(json: unknown, path: string): CleanResult {
  const result = readResult(schema, json, path, { use: "a report is drawn of" }) as unknown as CleanResult;
  return { ...result, verdict: storedVerdict(result) };
}
