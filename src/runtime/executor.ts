/** The seam to whatever runs ONNX: bytes in, a callable program out. ONNX Runtime is the one that is built in. */
import type { IntTensor, Tensor } from "../tensor/tensor.ts";

export type Feeds = Readonly<Record<string, Tensor | IntTensor>>;

export interface Program {
  /** Run once. Results named in `into` are written in place there; the others are new tensors. */
  run(feeds: Feeds, into?: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>>;
  release(): Promise<void>;
}

export interface Executor {
  /** What a receipt records: library, version, device. */
  readonly description: string;
  compile(onnx: Uint8Array): Promise<Program>;
}
