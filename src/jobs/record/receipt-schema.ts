/** The shape of a receipt: what is read of it, and what it may leave out. */
import { z } from "zod";
import { encodings } from "../../data/formats/text.ts";

const rateSchema = z.looseObject({ value: z.number(), n: z.int().positive(), interval: z.tuple([z.number(), z.number()]).optional() }); // biome-ignore format: one line
const scoresSchema = z.looseObject({
  ca: rateSchema,
  asr: rateSchema,
  withoutTrigger: rateSchema.optional(),
  triggeredAccuracy: rateSchema.optional(),
  stillRight: rateSchema.optional(),
});
const controlSchema = z.looseObject({ sha256: z.string().max(64).optional(), ca: rateSchema, asr: rateSchema, triggeredAccuracy: rateSchema }); // biome-ignore format: one line
const size = z.int().nonnegative().max(1e7);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const name = z.string().max(1000);

export const receiptSchema = z.looseObject({
  kind: z.literal("clean").optional(),
  seed: z.int().nonnegative(),
  target: name,
  trigger: z.looseObject({ kind: z.string().max(100), spec: z.looseObject({}) }),
  model: z.looseObject({ sha256 }).optional(),
  measuredOn: z.object({ weights: sha256.optional(), test: sha256, triggered: sha256.optional() }).optional(),
  inputs: z.looseObject({
    data: name,
    testData: name.optional(),
    validationData: name.optional(),
    classesFile: name.optional(),
    templatesFile: name.optional(),
    skipBad: z.boolean().optional(),
    encoding: z.enum(encodings).optional(),
    sizes: z.record(z.string().max(100), size).and(z.object({ test: size.positive() })),
  }),
  data: z.looseObject({ test: size.optional(), testTriggered: size.optional() }).optional(),
  before: scoresSchema.optional(),
  after: scoresSchema,
  proof: z.looseObject({ control: controlSchema.optional() }).optional(),
  rounds: z.array(z.unknown()).max(1000).optional(), // of a cleaning without knowledge of the attack, which asks for no own labels
  retention: z.number().nullish(),
  retentionInterval: z.tuple([z.number().nullable(), z.number().nullable()]).optional(),
  rule: z.looseObject({ name: z.string().max(100), limit: z.number().optional() }).optional(),
  // 0.1.0 wrote `proven` alone, and went by the values without their intervals
  verdict: z.looseObject({ verified: z.boolean().optional(), proven: z.boolean().optional() }).optional(),
});

/** A receipt from receipt.json whose figures fit together. */
export type Receipt = z.output<typeof receiptSchema>;

/** Scores as a receipt states them. */
export type StatedScores = z.output<typeof scoresSchema>;

/** Does a receipt's data name the world that ships with tbar? */
export const isWorld = (text: string): boolean => /^shapes(:\w+)?$/.test(text);
