/** Programs by content: simplify, emit, compile once per distinct bytes. */
import { createHash } from "node:crypto";
import { topological } from "../graph/node.ts";
import { simplify } from "../graph/simplify.ts";
import { lowered } from "../onnx/dialect.ts";
import { emit, type Outputs } from "../onnx/emit.ts";
import { carriedOf } from "../onnx/loop.ts";
import type { Weights } from "../tensor/tensor.ts";
import type { Executor, Program, Resident, Steps } from "./executor.ts";

export interface Runtime {
  readonly description: string;
  /** A compiled program; the same graph gives the same one. */
  compile(outputs: Outputs): Promise<Program>;
  /** A program of its own in which these weights are no inputs but constants, packed once: faster, and good for them alone. */
  compileFixed(outputs: Outputs, weights: Weights): Promise<Program>;
  /** The program of a file, its weights inside. */
  open(path: string): Promise<Program>;
  /** A place for values that stay on the device while programs step over them; absent where the executor has none. */
  resident?(): Promise<ResidentValues>;
  /** A runtime of the same executor whose programs are its own, to be freed before those of this one, or with them. */
  apart(): Runtime;
  /** Free every compiled program. */
  release(): Promise<void>;
}

export type ResidentValues = Omit<Resident, "compile"> & { compile(outputs: Outputs): Promise<Steps> };

export function createRuntime(executor: Executor): Runtime {
  const programs = new Map<string, Promise<Program>>();
  const fixed: Promise<Program>[] = [];
  const parts: Runtime[] = [];
  const { resident } = executor;
  return {
    description: executor.description,
    ...(resident && {
      async resident() {
        const place = await resident();
        return {
          ...place,
          compile: async (outputs) =>
            place.compile(emit(simplified(outputs, executor)), carriedOf(Object.keys(outputs))),
        };
      },
    }),
    async compile(outputs) {
      const bytes = emit(simplified(outputs, executor));
      const key = createHash("sha256").update(bytes).digest("hex");
      const program = programs.get(key) ?? executor.compile(bytes);
      programs.set(key, program);
      return program;
    },
    async compileFixed(outputs, weights) {
      const roots = simplified(outputs, executor);
      const inputs = topological(Object.values(roots)).filter(({ op }) => op === "Input");
      const names = new Set(inputs.map(({ attrs }) => attrs.name));
      const read = new Map([...weights].filter(([name]) => names.has(name)));
      const program = executor.compile(emit(roots, new Set(read.keys())), read);
      fixed.push(program);
      return program;
    },
    async open(path) {
      const program = executor.compile(path);
      fixed.push(program);
      return program;
    },
    apart() {
      const part = createRuntime(executor);
      parts.push(part);
      return part;
    },
    async release() {
      for (const part of parts.splice(0)) await part.release();
      const all = [...programs.values(), ...fixed.splice(0)];
      programs.clear();
      for (const program of all) await (await program).release();
    },
  };
}

/** The cheapest form in the executor's own words. */
function simplified(outputs: Outputs, { dialect }: Executor): Outputs {
  const roots = lowered(simplify(Object.values(outputs)), dialect);
  return Object.fromEntries(Object.keys(outputs).map((name, i) => [name, roots[i]]));
}
