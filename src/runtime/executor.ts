/** The seam to whatever runs ONNX: bytes in, a callable program out. ONNX Runtime is the one that is built in. */
import type { IntTensor, Tensor, Weights } from "../tensor/tensor.ts";

export type Feeds = Readonly<Record<string, Tensor | IntTensor>>;

export interface Program {
  /** Run once. Results named in `into` are written in place there; the others are new tensors. */
  run(feeds: Feeds, into?: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>>;
  release(): Promise<void>;
}

export interface Executor {
  /** What a receipt records: library, version, device. */
  readonly description: string;
  /** `fixed` are the values of initializers that the bytes leave to external files of their names; they may be packed once. */
  compile(onnx: Uint8Array, fixed?: Weights): Promise<Program>;
}
