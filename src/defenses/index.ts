/** The ways to make the vector that is subtracted, by the names people type. */

import { badInput, unknownName } from "../tensor/error.ts";
import { anchored } from "./anchored.ts";
import { consensus } from "./consensus.ts";
import type { Defense } from "./defense.ts";
import { fisher } from "./fisher.ts";
import { relabel } from "./relabel.ts";
import { tbar } from "./tbar.ts";

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

/**
 * Throws `bad-input` on a name that is none, controls alone, and methods that lack what they need: clean images (all but plain and
 * relabel), or the same images with and without the trigger (relabel).
 */
export function checkMethods(
  names: readonly string[],
  { clean, isPaired }: { readonly clean: number; readonly isPaired: boolean },
): void {
  const unknown = names.find((name) => !methodNames.includes(name));
  if (unknown !== undefined) throw unknownName("method", unknown, methodNames);
  if (names.every((name) => methods[name].control)) {
    const asked = names.length === 0 ? "no method is named" : `${names.join(", ")}: a control is never chosen`;
    throw badInput(`${asked}; name one of ${methodNames.filter((name) => !methods[name].control).join(", ")}`);
  }
  const unfed = names.find((name) => name !== "plain" && name !== "relabel");
  if (clean === 0 && unfed !== undefined) throw badInput(`the method ${unfed} needs clean images (--clean)`);
  if (!isPaired && names.includes("relabel")) {
    throw badInput(
      "the method relabel needs the same images with and without the trigger: bring the trigger instead of a folder",
    );
  }
}
