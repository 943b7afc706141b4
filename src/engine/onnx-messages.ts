/** What is asked of the process of a foreign ONNX model, and what it answers. */
import type { RuntimeOptions } from "../runtime/onnxruntime.ts";
import type { ErrorCode } from "../tensor/error.ts";
import type { Tensor } from "../tensor/tensor.ts";

export interface OnnxFacts {
  /** The type that most weights have. */
  readonly dtype: string;
  readonly parameters: number;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Of a feed what goes by message; its values are in the shared file. */
export interface Fed {
  readonly name: string;
  readonly isInt: boolean;
  readonly shape: readonly number[];
  readonly at: number;
  readonly bytes: number;
}

export type Question =
  | { readonly ask: "open"; readonly paths: readonly string[]; readonly options: RuntimeOptions }
  | { readonly ask: "run"; readonly program: number; readonly fed: readonly Fed[]; readonly only?: readonly string[] };

export interface Opened {
  readonly programs: readonly { readonly inputs: readonly string[]; readonly outputs: readonly string[] }[];
  readonly description: string;
  readonly facts: OnnxFacts;
}

export type Answer =
  | { readonly opened: Opened }
  | { readonly results: Record<string, Tensor> }
  | { readonly code?: ErrorCode; readonly message: string };

/** The number under which the process has the shared file open: after input, output, errors and messages. */
export const sharedFile = 4;
