/** Values in buffers of the device, which results become and feeds are: for WebGPU, whose binding knows them. */
import { input } from "../graph/node.ts";
import { emit } from "../onnx/emit.ts";
import { next } from "../onnx/loop.ts";
import type { Tensor, Weights } from "../tensor/tensor.ts";
import type { Feeds, Resident } from "./executor.ts";

/** A value on the host or on the device. */
export interface Value {
  readonly dims: readonly number[];
  dispose(): void;
}

/** A session, of whose results some are left on the device. */
export interface Session<V> {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(feeds: Readonly<Record<string, V>>): Promise<Readonly<Record<string, V>>>;
  release(): Promise<void>;
}

export interface Sessions<V> {
  open(onnx: Uint8Array, left: readonly string[]): Promise<Session<V>>;
  wrap(value: Feeds[string]): V;
  unwrap(value: V): Tensor;
}

export function residentBuffers<V extends Value>({ open, wrap, unwrap }: Sessions<V>): Resident {
  const values = new Map<string, V>();
  /** A buffer lives no longer than the session that made it: all are kept to the end. */
  const sessions = new Map<string, Promise<Session<V>>>();
  const opened = (key: string, onnx: () => Uint8Array, left: readonly string[]) => {
    const session = sessions.get(key) ?? open(onnx(), left);
    sessions.set(key, session);
    return session;
  };
  /** Uploads and downloads are programs, too: the binding's own download (Tensor.getData) ends the process. */
  const copied = async (to: "device" | "host", value: V) => {
    const program = () => emit({ copy: input("value", value.dims) });
    const session = await opened(`to the ${to}: ${value.dims}`, program, to === "device" ? ["copy"] : []);
    return (await session.run({ value })).copy;
  };
  const place = (name: string, value: V) => {
    values.get(name)?.dispose();
    values.set(name, value);
  };
  const release = async () => {
    for (const value of values.values()) value.dispose();
    values.clear();
    for (const session of sessions.values()) await (await session.catch(() => undefined))?.release();
    sessions.clear();
  };
  const write = async (given: Weights) => {
    for (const [name, value] of given) place(name, await copied("device", wrap(value)));
  };

  return {
    atOnce: 1,
    write,
    async read(names) {
      const found = new Map<string, Tensor>();
      for (const name of names) found.set(name, unwrap(await copied("host", values.get(name) as V)));
      return found;
    },
    async compile(onnx, changes) {
      const session = await opened(`program ${sessions.size}`, () => onnx, changes.map(next));
      const others = session.outputNames.filter((name) => !changes.some((of) => next(of) === name));
      return async (feeds) => {
        const reports: Record<string, Tensor>[] = [];
        for (const fed of feeds) {
          const read = session.inputNames.map((name) => [name, values.get(name) ?? wrap(fed[name])]);
          const results = await session.run(Object.fromEntries(read));
          for (const name of changes) place(name, results[next(name)]);
          reports.push(Object.fromEntries(others.map((name) => [name, unwrap(results[name])])));
        }
        return reports;
      };
    },
    release,
  };
}
