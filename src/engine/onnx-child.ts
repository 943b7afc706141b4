/** The process in which a foreign ONNX model is read and run: it may be killed at any time. Spoken to by onnx-process.ts. */
import { readSync } from "node:fs";
import { TensorProto_DataType as DataType } from "onnx-buf";
import { endWithParent } from "../process/fork.ts";
import type { Program } from "../runtime/executor.ts";
import { onnxRuntime } from "../runtime/onnxruntime.ts";
import { badInput, TbarError } from "../tensor/error.ts";
import { printable } from "../tensor/printable.ts";
import { type IntTensor, sizeOf, type Tensor } from "../tensor/tensor.ts";
import { readOnnx } from "./onnx-check.ts";
import { type Answer, type Fed, type Opened, type Question, sharedFile } from "./onnx-messages.ts";

const programs: Program[] = [];
/** Of a result: an embedding of 1024 numbers for each of 16,384 rows. */
const mostValues = 2 ** 24;

endWithParent();
process.on("message", (question: Question) => {
  answerTo(question).then(
    (answer) => process.send?.(answer),
    (error) =>
      process.send?.({ message: String(error.message), ...(error instanceof TbarError && { code: error.code }) }),
  );
});

async function answerTo(question: Question): Promise<Answer> {
  if (question.ask === "open") return { opened: await open(question) };
  const { program, fed, only } = question;
  const feeds = Object.fromEntries(fed.map((one) => [one.name, received(one)]));
  const results = await programs[program].run(feeds, {}, only);
  const large = Object.keys(results).find((name) => results[name].data.length > mostValues);
  if (large === undefined) return { results };
  throw badInput(`an ONNX model gives ${results[large].data.length} values as ${printable(large, 60)}`);
}

async function open({ paths, options }: Extract<Question, { ask: "open" }>): Promise<Opened> {
  const counts = new Map<string, number>();
  const metadata = new Map<string, string>();
  for (const path of paths) {
    const model = await readOnnx(path);
    for (const { dims, dataType } of model.graph?.initializer ?? []) {
      const type = dataType === DataType.FLOAT ? "float32" : (DataType[dataType ?? 0]?.toLowerCase() ?? "unknown");
      counts.set(type, (counts.get(type) ?? 0) + sizeOf(dims.map(Number)));
    }
    for (const { key, value } of model.metadataProps) metadata.set(key, value);
  }
  if (metadata.size > 1000 || [...metadata].join().length > 2 ** 24)
    throw badInput(`${paths[0]} has too much metadata`);
  const executor = await onnxRuntime(options);
  for (const path of paths) programs.push(await executor.compile(path));
  const [dtype = "unknown"] = [...counts].sort((a, b) => b[1] - a[1])[0] ?? [];
  const parameters = [...counts.values()].reduce((a, b) => a + b, 0);
  return {
    programs: programs.map(({ inputs, outputs }) => ({ inputs, outputs })),
    description: executor.description,
    facts: { dtype, parameters, metadata: Object.fromEntries(metadata) },
  };
}

/** From the file that both processes have open. */
function received({ isInt, shape, at, bytes }: Fed): Tensor | IntTensor {
  const buffer = new ArrayBuffer(bytes);
  const into = new Uint8Array(buffer);
  for (let done = 0; done < bytes; ) done += readSync(sharedFile, into, done, bytes - done, at + done) || Number.NaN;
  return isInt ? { shape, data: new Int32Array(buffer) } : { shape, data: new Float32Array(buffer) };
}
