/** What is in a file of weights, for eyes. */
import type { InspectResult } from "../../results/inspect.ts";
import { printable } from "../../tensor/printable.ts";
import { bytesText, readingText, table } from "../text.ts";

const formats: Readonly<Record<InspectResult["format"], string>> = {
  safetensors: "safetensors",
  sharded: "several files with an index",
  torch: "PyTorch archive",
  pickle: "a pickle without an archive",
  onnx: "ONNX",
  unknown: "unknown",
};

export function inspectText(result: InspectResult): string {
  const { model, refused, official, dtypes, tensors, metadata, pickles, suspicious } = result;
  const names = {
    hf: "Hugging Face's names",
    openai: "OpenAI's names",
    onnx: "ONNX: it is measured, and nothing changes it",
  };
  const first = [
    ...(refused === undefined ? [] : [["refused", printable(refused, 2000)]]),
    ...suspicious.slice(0, most).map((remark) => ["suspicious", printable(remark, 400)]),
    ...(suspicious.length > most ? [["", `... (${counted(suspicious.length)} in all; --json has them)`]] : []),
  ];
  const facts = [
    ["file", printable(result.path, 1000)],
    ["format", `${formats[result.format]}, ${bytesText(result.bytes)}`],
    ["SHA-256", result.sha256],
    ...(official === undefined ? [] : [["", `the file of ${official}, unchanged`]]),
    ...(model === undefined ? [] : [["model", `${model.architecture}, ${counted(model.parameters)} parameters`]]),
    ...(model === undefined ? [] : [["layout", names[model.layout]]]),
    ...(model === undefined ? [] : [["images", model.preprocess]]),
    ...(model === undefined ? [] : [["activation", model.activation]]),
    ...dtypes.map(({ dtype, ...of }) => [dtype, `${counted(of.tensors)} tensors, ${counted(of.values)} values`]),
    ...Object.entries(metadata)
      .slice(0, most)
      .map(([key, value]) => [`metadata ${printable(key, 80)}`, printable(value, 160)]),
    ...(Object.keys(metadata).length > most ? [["", `... (${counted(Object.keys(metadata).length)} in all)`]] : []),
    ...pickles.map((pickle) => [printable(pickle.where, 80), importsText(pickle)]),
  ];
  const rows = tensors.map(({ name, dtype, shape }) => [`  ${printable(name, 160)}`, dtype, `[${shape.join(", ")}]`]);
  const warning = result.declared === undefined ? "" : `WARNING: ${printable(result.declared, 600)}\n`;
  const beginning = first.length > 0 ? `${table(first)}\n` : "";
  return `${warning}${beginning}${table(facts)}${readingText(result)}${rows.length > 0 ? `\nTensors:\n${table(rows)}` : ""}`;
}

/** Lines of one kind. */
const most = 50;

/** TorchScript has a class of its own for every layer. */
function importsText({ names }: InspectResult["pickles"][number]): string {
  const others = names.filter(({ name }) => !name.startsWith("__torch__.")).map(({ name }) => name.replace(" ", "."));
  const some = others.slice(0, most).map((name) => printable(name, 80));
  const more = others.length > most ? [`... (${counted(others.length)} in all)`] : [];
  const classes = names.length - others.length;
  return `would import ${[...some, ...more, ...(classes > 0 ? [`${classes} classes of TorchScript`] : [])].join(", ") || "nothing"}`;
}

const counted = (count: number) => count.toLocaleString("en-US");
