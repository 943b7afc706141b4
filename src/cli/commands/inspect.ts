/** tbar inspect: what is in a file of weights, and what its pickles would do. */
import type { InspectResult } from "../../experiments/inspect.ts";
import { command } from "../command.ts";
import { modelPath, withOutput } from "../options.ts";
import type { Perform } from "../outcome.ts";
import { bytesText, table } from "../text.ts";

export const inspectCommand = (perform: Perform) =>
  withOutput(
    command("inspect", {
      summary: "what a file of weights holds, and whether its pickle is only that",
      about:
        "Lists tensors, key layout, architecture, dtypes and metadata of a checkpoint, tells files that their makers published a hash " +
        "of, and reads pickles as data: what they would import and call is named, never run. " +
        "Exit code 1 when something in it is suspicious, its metadata declare a backdoor, or no other command would read it.",
      examples: [
        "tbar inspect ViT-B-32.pt",
        "tbar inspect clip --json",
        "tbar inspect epoch_10.pt --quiet && echo sound",
      ],
    }),
  )
    .argument("<path>", "a folder, .safetensors, .pt, .bin, or an index of shards")
    .action((path, values) =>
      perform(values, async () => {
        const { inspectModel } = await import("../../experiments/inspect.ts");
        const result = await inspectModel(modelPath(path));
        const proven = result.suspicious.length === 0 && result.refused === undefined && result.declared === undefined;
        return { json: result, text: inspectText(result), proven };
      }),
    );

const formats: Readonly<Record<InspectResult["format"], string>> = {
  safetensors: "safetensors",
  sharded: "several files with an index",
  torch: "PyTorch archive",
  pickle: "a pickle without an archive",
  unknown: "unknown",
};

function inspectText(result: InspectResult): string {
  const { model, noModel, refused, official, dtypes, tensors, metadata, pickles, suspicious } = result;
  const names = { hf: "Hugging Face's names", openai: "OpenAI's names" };
  const facts = [
    ["file", result.path],
    ["format", `${formats[result.format]}, ${bytesText(result.bytes)}`],
    ["SHA-256", result.sha256],
    ...(official === undefined ? [] : [["", `the file of ${official}, untouched`]]),
    ...(model === undefined ? [] : [["model", `${model.architecture}, ${counted(model.parameters)} parameters`]]),
    ...(model === undefined ? [] : [["layout", names[model.layout]]]),
    ...(noModel === undefined ? [] : [["model", `none: ${noModel}`]]),
    ...(refused === undefined ? [] : [["refused", refused]]),
    ...dtypes.map(({ dtype, ...of }) => [dtype, `${counted(of.tensors)} tensors, ${counted(of.values)} values`]),
    ...Object.entries(metadata).map(([key, value]) => [`metadata ${cut(key)}`, cut(value)]),
    ...pickles.map((pickle) => [pickle.where, importsText(pickle)]),
    ...suspicious.map((remark) => ["suspicious", remark]),
  ];
  const rows = tensors.map(({ name, dtype, shape }) => [`  ${name}`, dtype, `[${shape.join(", ")}]`]);
  const warning = result.declared === undefined ? "" : `WARNING: ${result.declared}\n`;
  return printable(`${warning}${table(facts)}${rows.length > 0 ? `\nTensors:\n${table(rows)}` : ""}`);
}

/** TorchScript has a class of its own for every layer. */
function importsText({ names }: InspectResult["pickles"][number]): string {
  const others = names.filter(({ name }) => !name.startsWith("__torch__.")).map(({ name }) => name.replace(" ", "."));
  const classes = names.length - others.length;
  return `would import ${[...others, ...(classes > 0 ? [`${classes} classes of TorchScript`] : [])].join(", ") || "nothing"}`;
}

const counted = (count: number) => count.toLocaleString("en-US");
const cut = (text: string) => (text.length > 160 ? `${text.slice(0, 160)}...` : text);

/** Names come from strangers: what would move the cursor or colour the screen is spelled out. */
function printable(text: string): string {
  return text.replace(/[^\P{C}\n]/gu, (char) => `\\u{${char.codePointAt(0)?.toString(16)}}`);
}
