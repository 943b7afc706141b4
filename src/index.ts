/** tbar as a library: each job as a function that takes the spec of its command, and what they are made of. */
import type { LoadedClip } from "./engine/clip.ts";
import { concatRows } from "./engine/encoder.ts";
import { callable } from "./jobs/callable.ts";
import type { Tensor } from "./tensor/tensor.ts";

export type { Preprocess } from "./checkpoint/config/preprocess.ts";
export type { Dataset, Example } from "./data/dataset.ts";
export type { Rule } from "./defenses/alpha-search.ts";
export { type Clip, type LoadedClip, type LoadOptions, loadClip } from "./engine/clip.ts";
export type { Recipe } from "./engine/finetune.ts";
export type { Given as JobContext, Progress } from "./jobs/context.ts";
export { shapesBadnetModel, shapesModel } from "./jobs/inputs/embedded.ts";
export { cleanReport as report } from "./report/clean-report.ts";
export { sarifOf as sarif } from "./report/sarif.ts";
export { scanReport } from "./report/scan/scan-report.ts";
export type { AttackResult } from "./results/attack.ts";
export type { CleanResult, ExamplePicture, Proof, Trial, Variant, Verdict } from "./results/clean.ts";
export type { ConvertResult } from "./results/convert.ts";
export type { AfterScores, EffectScores, Scores } from "./results/effect.ts";
export type { EmbedResult } from "./results/embed.ts";
export type { Comparison, EvalResult } from "./results/eval.ts";
export type { ExportResult } from "./results/export.ts";
export type { FinetuneResult } from "./results/finetune.ts";
export type { InspectResult } from "./results/inspect.ts";
export type { MergeResult } from "./results/merge.ts";
export type { Opened, OpenedData, OpenedModel } from "./results/opened.ts";
export type { PretrainResult } from "./results/pretrain.ts";
export type { PullResult } from "./results/pull.ts";
export type { ReportResult } from "./results/report.ts";
export type { ScanResult } from "./results/scan.ts";
export type { ScanCalibration } from "./results/scan-calibration.ts";
export type { TriggerResult } from "./results/trigger-view.ts";
export type { ApplyResult, CosineResult, VectorResult } from "./results/vector.ts";
export type { XiResult } from "./results/xi.ts";
export type { Rate } from "./stats/rate.ts";
export { type ErrorCode, TbarError } from "./tensor/error.ts";
export type { Tensor, Weights } from "./tensor/tensor.ts";
export type { Trigger, TriggerSpec } from "./triggers/trigger.ts";

/**
 * Unit-norm embeddings: of images [B, E] from pixels [B, 3, S, S] in [0, 1], S being the model's own size, or of texts [N, E].
 * Images of any other size are what `tbar embed` is for.
 */
export async function embed(clip: LoadedClip, inputs: Tensor | readonly string[]): Promise<Tensor> {
  if (!("data" in inputs)) return inputs.length === 0 ? none(clip) : clip.encoder.texts(clip.weights, inputs);
  const { shape, data } = inputs;
  const size = clip.config.vision.imageSize;
  if (shape.length !== 4 || shape[1] !== 3 || shape[2] !== size || shape[3] !== size)
    throw new RangeError(`embed: pixels must be [B, 3, ${size}, ${size}], not [${shape}]`);
  const image = 3 * size * size;
  if (data.length !== shape[0] * image)
    throw new RangeError(`embed: ${data.length} values are not those of pixels [${shape}]`);
  if (shape[0] === 0) return none(clip);
  const parts: Tensor[] = [];
  for (let at = 0; at < shape[0]; at += 64) {
    const count = Math.min(64, shape[0] - at);
    const pixels = { shape: [count, 3, size, size], data: data.subarray(at * image, (at + count) * image) };
    parts.push(await clip.encoder.images(clip.weights, pixels));
  }
  return concatRows(parts);
}

const none = ({ config }: LoadedClip): Tensor => ({ shape: [0, config.embedDim], data: new Float32Array(0) });

/** Implant a backdoor in the image tower and check that it succeeded; `result.succeeded` says so. Nothing is written without `out`. */
export const attack = callable(async () => (await import("./jobs/attack/job.ts")).attack);

/** Remove a backdoor whose trigger is known and verify it; `result.verdict.verified` says whether that succeeded. */
export const clean = callable(async () => (await import("./jobs/clean/job.ts")).clean);

/** Is a model backdoored? Nothing of the attack is known; `result.verdict` says so. */
export const scan = callable(async () => (await import("./jobs/scan/job.ts")).scan);

/** From models whose kind is known, how the scan judges others of their architecture: tbar scan calibrate. */
export const calibrateScan = callable(async () => (await import("./jobs/scan-calibrate/job.ts")).scanCalibrate);

/** The main job on the model and data that ship with the package. */
export const demo = callable(async () => (await import("./jobs/demo/job.ts")).demo);

/** Weight disentanglement error of a clean task and a trigger over a plane of weights: tbar xi. */
export const xi = callable(async () => (await import("./jobs/xi/job.ts")).xi);

/** CA, and ASR where the trigger is known (given, or named by the checkpoint); or once more what a receipt claims. */
export const evaluate = callable(async () => (await import("./jobs/eval/job.ts")).evaluation);

/** Embeddings of a whole data set, and of texts, in a safetensors file: tbar embed. */
export const embedDataset = callable(async () => (await import("./jobs/embed/job.ts")).embed);

/** A small CLIP from nothing: vocabulary from the captions, contrastive training, a Hugging Face folder. */
export const pretrain = callable(async () => (await import("./jobs/pretrain/job.ts")).pretrain);

/** A picture of what a trigger does to images, and figures: tbar trigger show. */
export const showTrigger = callable(async () => (await import("./jobs/trigger/job.ts")).triggerShow);

/** The page of a stored result, read and drawn again: tbar report. `report` draws a result at hand. */
export const reportFile = callable(async () => (await import("./jobs/report/job.ts")).report);

/** Teach a model a task: fine-tune its image tower on labelled images. Nothing is written without `out`. */
export const finetune = callable(async () => (await import("./jobs/finetune/job.ts")).finetune);

/** One model out of several that were fine-tuned from one base. */
export const merge = callable(async () => (await import("./jobs/merge/job.ts")).merge);

/** A checkpoint under the names of another program. */
export const convert = callable(async () => (await import("./jobs/convert/job.ts")).convert);

/** A checkpoint as ONNX files for transformers.js and ONNX Runtime. */
export const exportOnnx = callable(async () => (await import("./jobs/export/job.ts")).exportOnnx);

/** Fetch a model or data set from the hub into the cache that Python's tools share. */
export const pull = callable(async () => (await import("./jobs/pull/job.ts")).pull);

/** What a file of weights holds, and what its pickles would do. */
export const inspect = callable(async () => (await import("./jobs/inspect/job.ts")).inspect);

/** Task vectors between checkpoint files. */
export const vector = {
  /** tau = TO - FROM */
  diff: callable(async () => (await import("./jobs/vector/job.ts")).vectorDiff),
  /** MODEL + alpha VECTOR */
  apply: callable(async () => (await import("./jobs/vector/job.ts")).vectorApply),
  /** What a vector changes, and how far. */
  info: callable(async () => (await import("./jobs/vector/job.ts")).vectorInfo),
  /** Of the angle between two. */
  cosine: callable(async () => (await import("./jobs/vector/job.ts")).vectorCosine),
} as const;
