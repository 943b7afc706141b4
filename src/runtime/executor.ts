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

/** A place for values by name that stay with an executor while programs step over them; empty at first. */
export interface Resident {
  /** So many steps in one call are faster than one by one; 1 where it is all the same. */
  readonly atOnce: number;
  /**
   * A program that reads the values there are by their names. Of those that it `changes`, the result `next NAME` (onnx/loop.ts) takes the place of
   * NAME. It is run once for each of the feeds, which are of one shape, and gives the other results of each run.
   */
  compile(onnx: Uint8Array, changes: readonly string[]): Promise<Steps>;
  /** Copies of the values as they are now. */
  read(names: readonly string[]): Promise<Map<string, Tensor>>;
  /** New ones, in the place of those of their names. They are not to be changed afterwards. */
  write(values: Weights): Promise<void>;
  /** Free the values and the programs. */
  release(): Promise<void>;
}

export type Steps = (feeds: readonly Feeds[]) => Promise<Record<string, Tensor>[]>;

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
  /** A place on its device for values that stay between runs; absent where every run is fed all that it reads. */
  resident?(): Promise<Resident>;
}
