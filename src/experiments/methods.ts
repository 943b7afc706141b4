/** The ways to make the vector that is subtracted, by the names people type. */
import { anchored } from "../defenses/anchored.ts";
import { consensus } from "../defenses/consensus.ts";
import type { Defense } from "../defenses/defense.ts";
import { fisher } from "../defenses/fisher.ts";
import { relabel } from "../defenses/relabel.ts";
import { tbar } from "../defenses/tbar.ts";

export interface Method {
  readonly run: Defense;
  readonly about: string;
  /** Shown beside the others, never chosen. */
  readonly control?: boolean;
}

export const methods: Readonly<Record<string, Method>> = {
  plain: { run: tbar, about: "TBAR as published: triggered images only" },
  anchored: { run: anchored, about: "TBAR with a quarter as many clean images in the forget set (ours)" },
  fisher: { run: fisher, about: "Fisher-weighted trigger vector (ours)" },
  consensus: { run: consensus, about: "sign consensus of three anchored vectors (after NegMerge)" },
  relabel: {
    run: relabel,
    about: "control: fine-tune towards the model's own clean answers, scaled by alpha",
    control: true,
  },
};

export const methodNames: readonly string[] = Object.keys(methods);
