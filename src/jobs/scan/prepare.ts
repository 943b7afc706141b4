/** All of a scan that is known before anything is fitted: the model, the images, the detectors that can run on them. */
import { architectureOf } from "../../checkpoint/config/config.ts";
import type { Dataset } from "../../data/dataset.ts";
import type { Detector, Images, Subject } from "../../detectors/detector.ts";
import { detectors as all, detectorsNamed } from "../../detectors/index.ts";
import type { LoadedClip } from "../../engine/clip.ts";
import { loadClip } from "../../engine/clip.ts";
import { findOnnx } from "../../engine/onnx-clip.ts";
import { classify, zeroShotHead } from "../../engine/zero-shot.ts";
import type { Opened } from "../../results/opened.ts";
import type { ScanCalibration } from "../../results/scan-calibration.ts";
import { badInput, TbarError } from "../../tensor/error.ts";
import type { Context } from "../context.ts";
import { checkClasses } from "../inputs/classes.ts";
import { openedModel } from "../inputs/describe-opened.ts";
import { modelPath } from "../inputs/names.ts";
import { openClip } from "../inputs/open-clip.ts";
import { neededClasses, openSource, type Source } from "../inputs/source.ts";
import { calibrationsFor } from "./calibration.ts";
import type { ScanSpec } from "./spec.ts";

export interface Prepared {
  readonly clip: LoadedClip;
  readonly base?: LoadedClip;
  readonly source: Source;
  readonly classNames: readonly string[];
  readonly drawn: Readonly<Record<"fit" | "held", Dataset>>;
  readonly detectors: readonly Detector[];
  /** What its verdict goes by. */
  readonly calibrations: readonly ScanCalibration[];
  readonly opened: Opened;
  readonly warnings: readonly string[];
  /** Why there is no class to aim at; then the detectors that need none run alone. */
  readonly headless?: string;
}

/** Fewer images than that cannot tell a class that a trigger leads to from one that many images are of. */
const fewest = { fit: 16, held: 32 } as const;

/** Throws `bad-input` on a model that answers and cannot be differentiated. */
export async function refuseOnnx({ model }: ScanSpec): Promise<void> {
  if ((await findOnnx(modelPath(model))) === undefined) return;
  throw badInput(
    `${model} is a model in ONNX: its answers can be had, its gradients cannot, and probing it from outside finds only triggers that one has guessed; scan the checkpoint that it was exported from`,
  );
}

export async function prepare(spec: ScanSpec, context: Context): Promise<Prepared> {
  const chosen = detectorsOf(spec);
  const calibrations = await calibrationsFor(spec.calibration, spec.base !== undefined);
  const clip = await openClip(spec, context);
  const base = await openBase(clip, spec, context);
  const source = await openSource(spec.data, spec);
  const headless = headlessReason(clip, source, chosen);
  const classNames = headless === undefined ? neededClasses(source) : [];
  const detectors = headless === undefined ? chosen : chosen.filter(({ needs }) => !needs.includes("class names"));
  const drawn = await source.sets(spec.sizes);
  checkEnough(drawn, source);
  const warnings = [
    ...(headless === undefined ? checkClasses(clip.tokenize, { classNames, template: source.templates[0] }) : []),
    ...(await tooSmall(Object.values(drawn), clip.config.vision.imageSize)),
  ];
  const opened: Opened = { models: [clip, ...(base ? [base] : [])].map(({ checkpoint }) => openedModel(checkpoint)), data: source.opened() }; // biome-ignore format: one line
  context.progress.opened?.(opened);
  return { clip, ...(base && { base }), source, classNames, drawn, detectors, calibrations, opened, warnings, ...(headless !== undefined && { headless }) }; // biome-ignore format: one line
}

/** The model to compare with, where there is one. Throws `bad-input` where a fit on it says nothing of the other. */
export async function openBase(
  { config }: LoadedClip,
  { model, base, device, threads }: Pick<ScanSpec, "model" | "base" | "device" | "threads">,
  context: Context,
): Promise<LoadedClip | undefined> {
  if (base === undefined) return undefined;
  const opened = await loadClip(modelPath(base), { ...context, device, threads });
  const say = (one: LoadedClip["config"]) => `${architectureOf(one)}, embeddings of ${one.embedDim} numbers`;
  if (say(opened.config) !== say(config))
    throw badInput(
      `--base ${base} is of another architecture (${say(opened.config)}) than ${model} (${say(config)}): it cannot be what ${model} was made from`,
    );
  return opened;
}

/** Without a base, those that compare with one are left out. Throws `bad-input` where one of them is named. */
export function detectorsOf({
  detectors,
  quick,
  base,
}: Pick<ScanSpec, "detectors" | "quick" | "base">): readonly Detector[] {
  const possible = all.filter(({ needs }) => base !== undefined || !needs.includes("base"));
  if (detectors === undefined) return possible.filter((one) => one.quick || !quick);
  if (detectors.includes("all")) return possible;
  const named = detectorsNamed(detectors);
  const without = named.find((one) => !possible.includes(one));
  if (without !== undefined)
    throw badInput(`the detector ${without.name} compares with the model that the suspect was made from: --base MODEL`);
  return named;
}

/** Why the model cannot be asked which class an image is of; undefined where it can, or where class names are all that is missing. */
function headlessReason(clip: LoadedClip, source: Source, chosen: readonly Detector[]): string | undefined {
  try {
    clip.tokenize("a photo");
  } catch (error) {
    if (error instanceof TbarError) return `class names cannot be encoded: ${error.message}`;
    throw error;
  }
  const isEnough = chosen.some(({ needs }) => !needs.includes("class names"));
  return source.classNames === undefined && isEnough ? `${source.name} has no class names (--classes FILE)` : undefined;
}

/** Throws `bad-input` where the images are too few to fit triggers on, or to measure them on. */
export function checkEnough(drawn: Prepared["drawn"], { name }: Source): void {
  for (const part of ["fit", "held"] as const)
    if (drawn[part].size < fewest[part])
      throw badInput(
        `${name} leaves ${drawn[part].size} images for --${part}, and a scan takes ${fewest[part]} at least: ` +
          `${fewest.fit} to fit triggers on and ${fewest.held} others to measure them on, since with fewer one lucky image looks like a trigger${enough(drawn)}`,
      );
}

/** A hint where there are enough images, and the usual shares of them are too small. */
const enough = ({ fit, held }: Prepared["drawn"]): string =>
  fit.size + held.size < fewest.fit + fewest.held ? "" : `: --fit ${fewest.fit} --held ${fit.size + held.size - fewest.fit} would do`; // biome-ignore format: one line

/** Images that the model's preprocessing enlarges: nothing is wrong with it, but the model was hardly trained on such. */
async function tooSmall(sets: readonly Dataset[], S: number): Promise<string[]> {
  const sides: number[] = [];
  for (const { size, shortSide } of sets)
    for (let i = 0; shortSide !== undefined && i < size; i++) sides.push(await shortSide(i));
  const small = sides.filter((side) => side < S);
  if (small.length === 0) return [];
  return [
    `${small.length} of ${sides.length} images are smaller than the ${S} x ${S} pixels that the model takes (down to ${Math.min(...small)}); they are enlarged as its preprocessing does, and look blurred to it`,
  ];
}

/** A model with the head of the class names, where there are any. */
export async function subjectOf(
  clip: LoadedClip,
  { source, classNames, headless }: Prepared,
  signal?: AbortSignal,
): Promise<Subject> {
  if (headless !== undefined) return { clip, weights: clip.weights };
  return { clip, weights: clip.weights, head: await zeroShotHead(clip.encoder, clip.weights, classNames, source.templates, signal) }; // biome-ignore format: one line
}

/** The set's pixels, and what the model answers to them. Throws `bad-input` where they are all one image. */
export async function imagesOf(set: Dataset, { clip, weights, head }: Subject): Promise<Images> {
  const pixels = await set.read(Array.from({ length: set.size }, (_, i) => i), clip.preprocess); // biome-ignore format: one line
  const size = pixels.data.length / set.size;
  const isFirst = (at: number) => pixels.data.subarray(at, at + size).every((value, i) => value === pixels.data[i]);
  if (Array.from({ length: set.size }, (_, i) => i * size).every(isFirst))
    throw badInput(`all ${set.size} images of ${set.name} are one and the same: a trigger that works on all images cannot be told from one that works on this`); // biome-ignore format: one line
  const answers: number[] = [];
  for (let at = 0; at < set.size; at += 64) {
    const count = Math.min(64, set.size - at);
    const part = {
      shape: [count, ...pixels.shape.slice(1)],
      data: pixels.data.subarray(at * size, (at + count) * size),
    };
    const embeddings = await clip.encoder.images(weights, part);
    if (head !== undefined) answers.push(...classify(embeddings, head));
  }
  return { pixels, ...(head && { answers: Int32Array.from(answers) }) };
}
