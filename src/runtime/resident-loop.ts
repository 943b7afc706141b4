/** Values that are carried through ONNX's Loop: for devices whose binding knows no tensors there, as CUDA's from Node. */
import { each, every, first, last, looped, turns } from "../onnx/loop.ts";
import { copyTensor, type IntTensor, type Tensor, tensor } from "../tensor/tensor.ts";
import type { Executor, Feeds, Program, Resident } from "./executor.ts";

/** Steps of a call, at most: over so many the way of all values to the device and back is shared out. */
const atOnce = 64;

/** The values lie on the host between calls, and on the device for the steps of one. */
export function residentLoop(compile: Executor["compile"]): Resident {
  const values = new Map<string, Tensor>();
  /** Of these the arrays are our own, and written again by the call after next: new ones would be gigabytes before anyone collects them. */
  const own = new Set<string>();
  const spare = new Map<string, Tensor>();
  const programs: Program[] = [];
  /** What is fed, gathered: the same memory for each call, for touching new memory takes longer than copying. */
  const gathered = new Map<string, Float32Array>();
  const stacked = (name: string, rows: readonly Feeds[string][]): Tensor | IntTensor => {
    const [{ shape, data }] = rows;
    const whole = [rows.length, ...shape];
    if (data instanceof Int32Array) return { shape: whole, data: Int32Array.from(rows.flatMap(({ data }) => [...data])) }; // biome-ignore format: one line
    const before = gathered.get(name);
    const all = before && before.length >= rows.length * data.length ? before : new Float32Array(rows.length * data.length); // biome-ignore format: one line
    gathered.set(name, all);
    for (const [i, row] of rows.entries()) all.set(row.data, i * data.length);
    return { shape: whole, data: all.subarray(0, rows.length * data.length) };
  };
  return {
    atOnce,
    async write(given) {
      for (const [name, value] of given) {
        values.set(name, value);
        own.delete(name);
      }
    },
    async read(names) {
      return new Map(names.map((name) => [name, copyTensor(values.get(name) as Tensor)]));
    },
    async compile(onnx, changes) {
      const program = await compile(looped(onnx, new Set(values.keys())));
      programs.push(program);
      const others = program.outputs.filter((name) => name.startsWith(every("")));
      return async (feeds) => {
        const fed: Record<string, Tensor | IntTensor> = { [turns]: { shape: [], data: Int32Array.of(feeds.length) } };
        for (const [name, value] of values) fed[changes.includes(name) ? first(name) : name] = value;
        for (const name of Object.keys(feeds[0]))
          fed[each(name)] = stacked(
            name,
            feeds.map((of) => of[name]),
          );
        for (const name of changes) if (!spare.has(name)) spare.set(name, tensor((values.get(name) as Tensor).shape));
        const into = Object.fromEntries(changes.map((name) => [last(name), spare.get(name) as Tensor]));
        const results = await program.run(fed, into);
        for (const name of changes) {
          if (own.has(name)) spare.set(name, values.get(name) as Tensor);
          else spare.delete(name);
          values.set(name, into[last(name)]);
          own.add(name);
        }
        return feeds.map((_, turn) =>
          Object.fromEntries(others.map((name) => [name.slice(every("").length), row(results[name], turn)])),
        );
      };
    },
    async release() {
      for (const program of programs.splice(0)) await program.release();
      values.clear();
      spare.clear();
      gathered.clear();
    },
  };
}

function row({ shape, data }: Tensor, i: number): Tensor {
  const size = data.length / shape[0];
  return { shape: shape.slice(1), data: data.slice(i * size, (i + 1) * size) };
}
