/** Host arrays: row-major typed data with a shape. Everything that crosses a folder border is made of these. */

/** Float32, row-major. A rank-0 shape `[]` holds one value. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Indices and labels, row-major. */
export interface IntTensor {
  readonly shape: readonly number[];
  readonly data: Int32Array;
}

/** A model's parameters by name. A Map, because names come from files and may be anything, `__proto__` included. */
export type Weights = ReadonlyMap<string, Tensor>;

/** Number of values in a shape; 1 for the empty shape. */
export function sizeOf(shape: readonly number[]): number {
  let size = 1;
  for (const d of shape) size *= d;
  return size;
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((d, i) => d === b[i]);
}

/** A tensor over given values, or of zeros. Throws when the count does not fit the shape. */
export function tensor(
  shape: readonly number[],
  values: Float32Array | readonly number[] = new Float32Array(sizeOf(shape)),
): Tensor {
  const data = values instanceof Float32Array ? values : Float32Array.from(values);
  if (data.length !== sizeOf(shape)) throw new RangeError(`${data.length} values for shape [${shape}]`);
  return { shape: [...shape], data };
}

/** A copy to change in place. */
export const copyTensor = ({ shape, data }: Tensor): Tensor => ({ shape, data: data.slice() });

export function intTensor(shape: readonly number[], data: Int32Array | readonly number[]): IntTensor {
  const values = data instanceof Int32Array ? data : Int32Array.from(data);
  if (values.length !== sizeOf(shape)) throw new RangeError(`${values.length} values for shape [${shape}]`);
  return { shape: [...shape], data: values };
}
