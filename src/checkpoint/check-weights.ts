/** Values that may become a model's weights: named and shaped as its config asks, and finite. */
import { type ClipConfig, parameterShapes } from "../clip/config.ts";
import { badInput, unknownName } from "../tensor/error.ts";
import { sameShape, type Tensor, type Weights } from "../tensor/tensor.ts";

/** Throws `bad-input` when one of the (possibly few) weights is none of the config's, of another shape, or not finite. */
export function checkWeights(weights: Weights, config: ClipConfig): void {
  const shapes = parameterShapes(config);
  for (const [name, value] of weights) {
    const shape = shapes.get(name);
    if (shape === undefined) throw unknownName("parameter", name, [...shapes.keys()]);
    if (!sameShape(shape, value.shape)) {
      throw badInput(`new weights: ${name} has shape [${value.shape}], the config asks for [${shape}]`);
    }
    checkFinite(name, value, "new weights");
  }
}

/** A NaN or an infinity makes every result worthless, and hides in averages. */
export function checkFinite(name: string, { data }: Tensor, where: string): void {
  const at = data.findIndex((value) => !Number.isFinite(value));
  if (at >= 0) throw badInput(`${where}: tensor ${name} holds ${data[at]} (value ${at}); the weights are damaged`);
}
