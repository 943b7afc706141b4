/** The stages of a job and the work in each, known from the sizes of its sets: for --dry-run before it, and for the time left during it. */

import { type StepWork, wholeStep } from "./tower-work.ts";

/** One part of a job's work. */
export interface Part {
  /** The stage, as progress names it. */
  readonly what: string;
  /** Images read (or drawn), encoded and trained on. */
  readonly read?: number;
  readonly encoded?: number;
  readonly trained?: number;
  /** Images that each alpha of a search is measured on; how many alphas it takes shows only when it is done. */
  readonly searched?: number;
  /** Gradients to the pixels of an image under weights that stay, as triggers are fitted by. */
  readonly gradients?: number;
  /** Texts encoded; texts trained on come with their images. */
  readonly texts?: number;
  /** Its steps count images, of one set after another; else they are those of a training. */
  readonly measures?: true;
}

/** Alphas of one search that are measured on all validation images: at best, usually, at worst. Most others are decided on fewer. */
export const alphas = { least: 3, usual: 8, most: 20 } as const;

/** A training step as a multiple of encoding its images: backward is twice the forward, and updates come on top. */
export const training = { least: 2.5, usual: 3, most: 4.5 } as const;

/** A gradient to pixels as a multiple of encoding the image: backward through the activations alone is as much as forward. */
const pixelGradient = 2.2;

/** In encoded images. */
export const workOf = ({ encoded = 0, trained = 0, searched = 0, gradients = 0 }: Part): number =>
  encoded + training.usual * trained + alphas.usual * searched + pixelGradient * gradients;

interface Attacking {
  readonly test: number;
  readonly implant: number;
  readonly epochs: number;
  /** Images that the attack trains on besides. */
  readonly extra: number;
}

export function attackStages({ test, implant, epochs, extra }: Attacking): readonly Part[] {
  return [
    ...(extra > 0 ? [{ what: "fit the trigger", trained: extra }] : []),
    { what: "measure before", measures: true as const, read: 2 * test, encoded: 2 * test },
    { what: "implant", trained: implant * epochs },
    { what: "measure after", measures: true as const, encoded: 2 * test },
  ];
}

interface Finetuning extends Pick<Attacking, "test" | "epochs"> {
  readonly images: number;
  /** What a training step takes of one that trains all. */
  readonly step: StepWork;
}

export function finetuneStages({ images, test, epochs, step }: Finetuning): readonly Part[] {
  const seen = images * epochs;
  return [
    { what: "measure before", measures: true as const, read: test, encoded: test },
    { what: "fine-tune", ...stepParts(seen, step) },
    { what: "measure after", measures: true as const, encoded: test },
  ];
}

/** So many images trained on, by steps that train all unless told, and as many encoded besides. */
export function stepParts(
  images: number,
  { forward, trained }: StepWork = wholeStep,
  encoded = 0,
): Pick<Part, "encoded" | "trained"> {
  const passed = encoded + (forward ? images : 0);
  const learned = images * trained;
  return { ...(passed > 0 && { encoded: passed }), ...(learned > 0 && { trained: learned }) };
}

export function evaluationStages(test: number, triggered: number): readonly Part[] {
  return [
    { what: "clean accuracy", measures: true as const, read: test, encoded: test },
    ...(triggered > 0
      ? [{ what: "attack success rate", measures: true as const, read: triggered, encoded: triggered }]
      : []),
  ];
}

/**
 * The share of a job that is done when so much of a stage is: those before it count as done. Stages that come again (a method searches
 * several times) are where they are first. Undefined for a stage that is not among them.
 */
export function shareDone(stages: readonly Part[], current: string, within: number): number | undefined {
  const at = stages.findIndex(({ what }) => what === current);
  if (at < 0) return undefined;
  const work = stages.map(workOf);
  const total = work.reduce((a, b) => a + b, 0);
  if (total === 0) return undefined;
  return (work.slice(0, at).reduce((a, b) => a + b, 0) + within * work[at]) / total;
}
