/** Programs by content: simplify, emit, compile once per distinct bytes. */
import { createHash } from "node:crypto";
import { simplify } from "../graph/simplify.ts";
import { emit, type Outputs } from "../onnx/emit.ts";
import type { Executor, Program } from "./executor.ts";

export interface Runtime {
  readonly description: string;
  /** A compiled program; the same graph gives the same one. */
  compile(outputs: Outputs): Promise<Program>;
  /** Free every compiled program. */
  release(): Promise<void>;
}

export function createRuntime(executor: Executor): Runtime {
  const programs = new Map<string, Promise<Program>>();
  return {
    description: executor.description,
    async compile(outputs) {
      const names = Object.keys(outputs);
      const roots = simplify(Object.values(outputs));
      const bytes = emit(Object.fromEntries(names.map((name, i) => [name, roots[i]])));
      const key = createHash("sha256").update(bytes).digest("hex");
      const program = programs.get(key) ?? executor.compile(bytes);
      programs.set(key, program);
      return program;
    },
    async release() {
      const all = [...programs.values()];
      programs.clear();
      for (const program of all) await (await program).release();
    },
  };
}
