/**
 * SIG (Barni et al. 2019, arXiv 1902.11237): x' = clip(x + amplitude sin(2 pi frequency j / S)), j the column: soft vertical
 * bars. The defaults are those of the CLIP attacks; BackdoorBench has an amplitude of 40/255.
 */
import { z } from "zod";
import { badInput } from "../tensor/error.ts";
import type { Stamp } from "../triggers/trigger.ts";
import { describe, share, stamping, triggerSchema } from "./attack.ts";
import { addColumns, sources } from "./overlay.ts";

const schema = triggerSchema("sig").extend({
  /** In units of the pixel range, so above 0 and at most 1. */
  amplitude: share.default(60 / 255),
  /** Periods across the image. */
  frequency: z.number().positive().default(6),
});

export type SigSpec = z.output<typeof schema>;

/** A sinusoid along the horizontal axis. Throws TbarError on unknown options, and on `apply` where the image has too few columns. */
export const sig = stamping(schema, prepare);

export const attack = describe({
  name: "sig",
  title: "SIG",
  about: "soft vertical bars",
  options: "amplitude=0.235, frequency=6",
  paper: "arXiv 1902.11237",
  spec: schema,
  trigger: sig,
});

function prepare({ amplitude, frequency, strength, shift, scale }: SigSpec, S: number): Stamp {
  if (frequency >= S / 2)
    throw badInput(`sig: frequency=${frequency}: an image of ${S} x ${S} shows fewer than ${S / 2} periods`);
  const from = sources(S, shift, scale);
  const wave = (j: number) => amplitude * strength * Math.sin((2 * Math.PI * frequency * from[j]) / S);
  const columns = Float32Array.from({ length: 3 * S }, (_, k) => wave(k % S));
  return (image) => addColumns(image, columns, 1);
}
