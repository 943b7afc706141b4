/** tbar inspect: what is in a file of weights, and what its pickles would do. */
import type { InspectResult } from "../../jobs/inspect.ts";
import { printable } from "../../tensor/printable.ts";
import { command } from "../command.ts";
import { modelPath, withOutput, withReading } from "../options.ts";
import type { Perform } from "../outcome.ts";
import { bytesText, readingText, table } from "../text.ts";

export const inspectCommand = (perform: Perform) =>
  withOutput(
    withReading(
      command("inspect", {
        summary: "what a file of weights holds, and whether its pickle is only that",
        about:
          "Lists tensors, key layout, architecture, dtypes and metadata of a checkpoint, tells files that their makers published a hash " +
          "of, and reads pickles as data: what they would import and call is named, never run. " +
          "Opens it as tbar eval does. Exit code 1 when something in it is suspicious, its metadata declare a backdoor, or tbar eval " +
          "would refuse it: why is said first.",
        examples: ["tbar inspect ViT-B-32.pt", "tbar inspect clip --json", "tbar inspect clip --quiet && echo sound"],
      }),
    ),
  )
    .argument("<path>", "a folder, .safetensors, .pt, .bin, or an index of shards")
    .action((path, values) =>
      perform(values, async () => {
        const { inspectModel } = await import("../../jobs/inspect.ts");
        const result = await inspectModel(modelPath(path), values);
        const proven = result.suspicious.length === 0 && result.refused === undefined && result.declared === undefined;
        return { json: result, text: inspectText(result), proven };
      }),
    );

const formats: Readonly<Record<InspectResult["format"], string>> = {
  safetensors: "safetensors",
  sharded: "several files with an index",
  torch: "PyTorch archive",
  pickle: "a pickle without an archive",
  onnx: "ONNX",
  unknown: "unknown",
};

function inspectText(result: InspectResult): string {
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
    ...(official === undefined ? [] : [["", `the file of ${official}, untouched`]]),
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
