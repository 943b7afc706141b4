/** How a trigger may be parametrised: what an inversion learns, and how it changes an image. */
import type { StampGraph } from "../../engine/pixel-gradients.ts";
import type { Random } from "../../tensor/random.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { InvertedSpec } from "../../triggers/inverted.ts";

/** A function of images [3, S, S] in [0, 1] that has parameters, and its adjoint: x' = stamp(p, x), dL/dp += pull(p, x, dL/dx'). */
export interface Form {
  readonly name: string;
  /** Number of parameters. */
  readonly size: number;
  /** Adam's learning rate that suits its parameters. */
  readonly lr: number;
  start(stream: Random): Float32Array;
  /** Writes the image with the trigger to `out`. */
  stamp(parameters: Float32Array, image: Float32Array, out: Float32Array): void;
  /** The same as part of a program, where one trigger is on all images: they are neither stamped nor pulled back one by one on the host. */
  readonly graph?: FormGraph;
  /** Adds to `into` the gradient to the parameters, for the gradient `dy` to the stamped image. */
  pull(parameters: Float32Array, image: Float32Array, dy: Float32Array, into: Float32Array): void;
  /** Brings parameters back into their range, in place. */
  project?(parameters: Float32Array): void;
  /** Adds the gradient of a term of the form's own that is minimised beside the loss, such as a mask's size. */
  penalty?(parameters: Float32Array, into: Float32Array): void;
  /** The trigger as a value. */
  trigger(parameters: Float32Array): InvertedSpec;
}

export interface FormGraph {
  /** What the program is fed for parameters. */
  feeds(parameters: Float32Array): Readonly<Record<string, Tensor>>;
  readonly stamp: StampGraph;
  /** Adds to `into` the gradient to the parameters, for the gradients to what was fed. */
  pull(parameters: Float32Array, gradients: Readonly<Record<string, Tensor>>, into: Float32Array): void;
}
