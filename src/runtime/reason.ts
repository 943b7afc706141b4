/** What ONNX Runtime says of a failure, as a sentence of ours: its own text names files of its source, and repeats what a model calls itself. */
import { printable } from "../tensor/printable.ts";

export const outOfMemory = "it asks for more memory than there is";

const told: readonly (readonly [RegExp, (...found: string[]) => string])[] = [
  [/bad_alloc|Failed to allocate memory|out of memory/i, () => outOfMemory],
  [/protobuf parsing failed|does not have a graph/i, () => "it is no ONNX model"],
  [
    /IR version|under development|opset \d+.*not supported/i,
    () => "it is written for another ONNX than this ONNX Runtime reads",
  ],
  [/No Op registered for (\w+)/, (op) => `ONNX Runtime does not know its operator ${op}`],
  [/(\w+)\(-?\d+\) is not a registered function\/op/, (op) => `ONNX Runtime does not know its operator ${op}`],
  [
    /Could not find an implementation for (\w+)/,
    (op) => `ONNX Runtime cannot compute its operator ${op} on this device`,
  ],
  [/external.?(data|initializer)/i, () => "the file of its weights cannot be used"],
  [/running (\w+) node\. Name:\s?'([^']*)'/, (op, name) => `its operator ${op}${name && ` "${name}"`} failed`],
  [
    /Node \(([^)]*)\) Op \((\w+)\)/,
    (name, op) => `its operator ${op}${name && ` "${name}"`} does not fit what it reads`,
  ],
  [/of operator \((\w+)\) in node/, (op) => `its operator ${op} does not fit what it reads`],
  [/Node input '([^']*)' is not/, (input) => `an operator reads "${input}", which nothing gives`],
  [/Got invalid dimensions for input: (\S+)/, (input) => `its input ${input} has another shape`],
  [/Unexpected input data type/, () => "one of its inputs has another type"],
  [/Missing Input: (\S+)/, (input) => `it needs the input ${input}`],
];

/** The reason, for the end of a message such as `model.onnx cannot be run: ...`. */
export function reasonOf(error: unknown): string {
  const text = String((error as Error)?.message ?? error).slice(0, 4000);
  for (const [pattern, sentence] of told) {
    const found = pattern.exec(text);
    if (found !== null) return sentence(...found.slice(1).map((part) => printable(part, 60)));
  }
  return "ONNX Runtime refuses it";
}
