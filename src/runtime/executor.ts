/** The seam to whatever runs ONNX: bytes in, a callable program out. ONNX Runtime is the one that is built in. */
import type { Dialect } from "../onnx/dialect.ts";
import type { IntTensor, Tensor, Weights } from "../tensor/tensor.ts";

export type Feeds = Readonly<Record<string, Tensor | IntTensor>>;

export interface Program {
  /** What it reads. */
  readonly inputs: readonly string[];
  /** What it can be asked for. */
  readonly outputs: readonly string[];
  /**
   * Run once. Results named in `into` are written in place there; the others are new tensors. All of them, unless told which `only`.
   * Throws `unavailable` when memory runs out.
   */
  run(feeds: Feeds, into?: Readonly<Record<string, Tensor>>, only?: readonly string[]): Promise<Record<string, Tensor>>;
  release(): Promise<void>;
}

export interface Executor {
  /** What a receipt records: library, version, device. */
  readonly description: string;
  /** What of our ONNX it lacks. */
  readonly dialect: Dialect;
  /**
   * A program from its bytes, or from the path of its file. `fixed` are the values of initializers that the bytes leave to external
   * files of their names; they may be packed once.
   */
  compile(onnx: Uint8Array | string, fixed?: Weights): Promise<Program>;
}
