/** What a file of weights holds, and what its pickles would do, without loading it into anything. */
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { checkVariance } from "../../checkpoint/checks.ts";
import { type ReadOptions, readCheckpoint } from "../../checkpoint/clip-folder.ts";
import { architectureOf } from "../../checkpoint/config/config.ts";
import { describePreprocess } from "../../checkpoint/config/preprocess.ts";
import { findWeights } from "../../checkpoint/find-weights.ts";
import { detectFormat, openWeights } from "../../checkpoint/formats/open-weights.ts";
import { type PickleReport, scanArchive, scanBarePickles } from "../../checkpoint/formats/pickle-scan.ts";
import { otherReadings } from "../../checkpoint/formats/polyglot.ts";
import type { Dtype } from "../../checkpoint/formats/safetensors-header.ts";
import type { TensorFile } from "../../checkpoint/formats/tensor-file.ts";
import { officialName } from "../../checkpoint/official.ts";
import { pieces } from "../../checkpoint/pieces.ts";
import { openTokenizer } from "../../engine/clip.ts";
import { findOnnx, loadOnnxClip, type OnnxFiles } from "../../engine/onnx-clip.ts";
import { isFile, openFile, sha256Files } from "../../files/files.ts";
import type { Reading } from "../../results/base.ts";
import type { InspectResult } from "../../results/inspect.ts";
import { badInput, TbarError } from "../../tensor/error.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import { openedModel } from "../inputs/describe-opened.ts";
import { backdoorWarning } from "../inputs/model-facts.ts";
import { modelPath } from "../inputs/names.ts";
import { readingOf } from "../record/facts.ts";
import type { InspectSpec as Spec } from "./spec.ts";

const head = { schema: "tbar/inspect/2", kind: "inspect" } as const;
/** Look at a file, or at the weights of a folder, and open it as `tbar eval` does. Throws `bad-input` only when there is nothing to look at. */
export async function inspect(spec: Spec): Promise<InspectResult> {
  const given = modelPath(spec.path);
  const onnx = await findOnnx(given);
  if (onnx !== undefined) return inspectOnnx(given, onnx);
  const path = await findWeights(given);
  const format = (await detectFormat(path)) ?? "unknown";
  const opened = await orReason(() => openWeights(path));
  const file = opened.value;
  try {
    const files = file?.files ?? [path];
    const sha256 = await sha256Files(files);
    const { pickles, refused } = await picklesOf(path, format, file);
    const others = await readingsOf(files, format);
    const model = file === undefined ? {} : await modelOf(given, spec);
    return {
      ...head,
      path,
      format,
      files: files.map((name) => basename(name)),
      bytes: (await Promise.all(files.map((name) => stat(name)))).reduce((sum, { size }) => sum + size, 0),
      sha256,
      official: officialName(sha256),
      ...(file?.isScript && { script: true }),
      ...model,
      refused: opened.reason ?? refused ?? model.refused,
      ...contentOf(file),
      declared: backdoorWarning(Object.fromEntries(file?.metadata ?? [])),
      pickles: pickles.map((one) => ({ ...one })),
      suspicious: [...others, ...pickles.flatMap(({ suspicious }) => suspicious)],
    };
  } finally {
    await file?.close();
  }
}

/** A model in ONNX, which is opened as it would be to be measured, and not run. */
async function inspectOnnx(path: string, { image, text }: OnnxFiles): Promise<InspectResult> {
  const files = [...new Set([image, text])];
  for (const file of files) if (!(await isFile(file))) throw badInput(`there is no file ${file}`);
  const { value: clip, reason } = await orReason(() => loadOnnxClip({ image, text }));
  await clip?.runtime.release();
  const { metadata = {}, parameters = 0 } = clip?.facts ?? {};
  const model = clip && {
    layout: "onnx" as const,
    architecture: architectureOf(clip.config),
    parameters,
    preprocess: describePreprocess(clip.preprocess),
    activation: clip.config.text.activation,
  };
  return {
    ...head,
    path,
    format: "onnx",
    files: files.map((name) => basename(name)),
    bytes: (await Promise.all(files.map((name) => stat(name)))).reduce((sum, { size }) => sum + size, 0),
    sha256: await sha256Files(files),
    refused: reason,
    ...(model && { model }),
    dtypes: [],
    tensors: [],
    metadata,
    declared: backdoorWarning(metadata),
    pickles: [],
    suspicious: await readingsOf(files, "onnx"),
  };
}

/** What other programs could take these files for. */
async function readingsOf(files: readonly string[], format: InspectResult["format"]): Promise<string[]> {
  const found: string[] = [];
  for (const name of files) {
    const isArchive = format !== "safetensors" && format !== "onnx" && (await detectFormat(name)) === "torch";
    // a bare pickle's imports are reported opcode by opcode
    if (format === "pickle") continue;
    const file = await openFile(name);
    try {
      const remarks = await otherReadings(file, name, isArchive ? "archive" : "other");
      found.push(...remarks.map((remark) => (files.length > 1 ? `${basename(name)}: ${remark}` : remark)));
    } finally {
      await file.close();
    }
  }
  return found;
}

async function picklesOf(path: string, format: InspectResult["format"], file: TensorFile | undefined) {
  const archives = format === "sharded" ? (file?.files ?? []) : [path];
  const scanned = await orReason(async () => {
    if (format === "pickle") return (await scanBarePickles(path)).reports;
    const reports: PickleReport[] = [];
    for (const name of archives) {
      if ((await detectFormat(name)) === "torch") reports.push(...(await scanArchive(name)));
    }
    return reports;
  });
  return { pickles: scanned.value ?? [], refused: scanned.reason };
}

/** The model as far as it can be told, and why `tbar eval` would not measure it: its config, shapes, tokenizer, values. */
async function modelOf(
  path: string,
  options: ReadOptions,
): Promise<Pick<InspectResult, "model" | "refused" | keyof Reading>> {
  const { value: checkpoint, reason } = await orReason(() => readCheckpoint(path, options));
  if (checkpoint === undefined) return { refused: reason };
  const { layout, config, parts, tensors } = checkpoint;
  const parameters = parts.reduce((sum, part) => sum + sizeOf(tensors.get(part.file)?.shape ?? [0]), 0);
  const { reason: refused } = await orReason(async () => {
    const tokenize = await openTokenizer(checkpoint);
    tokenize("a photo of a dog.");
    await checkpoint.stream(async ({ shapes, read }) => {
      for (const [name, shape] of shapes) {
        for (const [from, count] of pieces(sizeOf(shape))) {
          checkVariance(name, { data: await read(name, from, count) }, checkpoint.weightsFile);
        }
      }
    });
  });
  const { preprocess, activation } = openedModel(checkpoint);
  const model = { layout, architecture: architectureOf(config), parameters, preprocess, activation };
  return { model, refused, ...readingOf(checkpoint) };
}

function contentOf(file: TensorFile | undefined): Pick<InspectResult, "dtypes" | "tensors" | "metadata"> {
  const tensors = [...(file?.tensors ?? [])].map(([name, { dtype, shape }]) => ({ name, dtype, shape }));
  const counts = new Map<Dtype, { tensors: number; values: number }>();
  for (const { dtype, shape } of tensors) {
    const count = counts.get(dtype) ?? { tensors: 0, values: 0 };
    counts.set(dtype, { tensors: count.tensors + 1, values: count.values + sizeOf(shape) });
  }
  const dtypes = [...counts].map(([dtype, count]) => ({ dtype, ...count }));
  return { dtypes, tensors, metadata: Object.fromEntries(file?.metadata ?? []) };
}

async function orReason<T>(work: () => Promise<T>): Promise<{ readonly value?: T; readonly reason?: string }> {
  try {
    return { value: await work() };
  } catch (error) {
    if (error instanceof TbarError) return { reason: error.message };
    throw error;
  }
}
