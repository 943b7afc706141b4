/** How a tensor of a file holds parameters of ours: as it is, transposed, or several in one. */
import { sizeOf, type Tensor } from "../../tensor/tensor.ts";

/**
 * `stacked`: several tensors of one shape, one after the other along the first axis. `scalar`: one value, of shape [] where the other has
 * [1] (open_clip's nonscalar_logit_scale, OpenAI's code of early 2021).
 */
type Form = "same" | "transposed" | "stacked" | "scalar";

/** One tensor of a file, and the parameters of ours that it holds. */
export interface Part {
  readonly file: string;
  readonly ours: readonly string[];
  readonly form: Form;
}

/** The logit scale and bias where the file's [1] is our [], or the other way round. */
export function withScalars(
  parts: readonly Part[],
  shapes: ReadonlyMap<string, { readonly shape: readonly number[] }>,
): Part[] {
  const siglip = parts.some(({ file }) => file.endsWith("logit_bias"));
  return parts.map((part) => {
    if (!/^logit_(scale|bias)$/.test(part.ours[0])) return part;
    const shape = shapes.get(part.file)?.shape;
    const isOther = shape !== undefined && (siglip ? shape.length === 0 : shape.length === 1 && shape[0] === 1);
    return isOther ? { ...part, form: "scalar" } : part;
  });
}

/** The shape in the file, from the shape that each of ours has. */
export function fileShape({ form }: Part, ours: readonly (readonly number[])[]): readonly number[] {
  const [first] = ours;
  if (form === "transposed") return [first[1], first[0]];
  if (form === "scalar") return otherScalar(first);
  return form === "stacked" ? [first[0] * ours.length, ...first.slice(1)] : first;
}

/** The shape of each of ours, from the shape in the file; undefined where that cannot be divided so. */
export function ourShape({ form, ours }: Part, shape: readonly number[]): readonly number[] | undefined {
  if (form === "transposed") return shape.length === 2 ? [shape[1], shape[0]] : undefined;
  if (form === "scalar") return otherScalar(shape);
  if (form === "stacked") return shape[0] % ours.length === 0 ? [shape[0] / ours.length, ...shape.slice(1)] : undefined;
  return shape;
}

/** Ours, in the order of `part.ours`, from the file's tensor. The values are copies where the form is not `same`. */
export function takeApart(part: Part, tensor: Tensor): Tensor[] {
  if (part.form === "same") return [tensor];
  if (part.form === "transposed") return [transpose(tensor)];
  if (part.form === "scalar") return [{ ...tensor, shape: otherScalar(tensor.shape) }];
  const shape = [tensor.shape[0] / part.ours.length, ...tensor.shape.slice(1)];
  const size = sizeOf(shape);
  return part.ours.map((_, i) => ({ shape, data: tensor.data.slice(i * size, (i + 1) * size) }));
}

/** The file's tensor from ours: the inverse of `takeApart`. */
export function putTogether(part: Part, ours: readonly Tensor[]): Tensor {
  const [first] = ours;
  if (part.form === "same") return first;
  if (part.form === "transposed") return transpose(first);
  if (part.form === "scalar") return { ...first, shape: otherScalar(first.shape) };
  const shapes = ours.map((tensor) => tensor.shape);
  const shape = fileShape(part, shapes);
  const data = new Float32Array(sizeOf(shape));
  for (const [i, tensor] of ours.entries()) data.set(tensor.data, i * first.data.length);
  return { shape, data };
}

/** [1] for [] and [] for [1]. */
const otherScalar = (shape: readonly number[]): readonly number[] => (shape.length === 0 ? [1] : []);

function transpose({ shape: [rows, columns], data }: Tensor): Tensor {
  const out = new Float32Array(data.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) out[j * rows + i] = data[i * columns + j];
  }
  return { shape: [columns, rows], data: out };
}
