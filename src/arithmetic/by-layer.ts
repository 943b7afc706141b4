/** Task vectors by the part of the model that they change: how far each part goes, and the angle between two there. */
import type { Weights } from "../tensor/tensor.ts";
import { inner } from "./task-vector.ts";

/** "vision_model.encoder.layers.3.mlp.fc1.weight" -> "image layer 3" */
export function partOf(name: string): string {
  const tower = name.startsWith("vision") || name.startsWith("visual") ? "image" : "text";
  const layer = /\.layers\.(\d+)\./.exec(name)?.[1];
  if (layer !== undefined) return `${tower} layer ${layer}`;
  if (name.includes("embedding")) return `${tower} embeddings`;
  return name === "logit_scale" ? "logit scale" : `${tower} norms and projection`;
}

/** Of two vectors' tensors of one name, or of several: sums of products over their values. */
export interface Products {
  readonly ab: number;
  readonly aa: number;
  readonly bb: number;
}

export interface PartCosine {
  /** "image layer 3" */
  readonly name: string;
  /** 0 where one of the two is zero there. */
  readonly cosine: number;
  /** L2 norms of both there. */
  readonly norms: readonly [number, number];
}

/** The angle between two vectors in each part of the model, in the order in which parts come first. */
export function cosinesByPart(products: Iterable<readonly [name: string, Products]>): readonly PartCosine[] {
  const parts = new Map<string, Products>();
  for (const [name, { ab, aa, bb }] of products) {
    const sum = parts.get(partOf(name)) ?? { ab: 0, aa: 0, bb: 0 };
    parts.set(partOf(name), { ab: sum.ab + ab, aa: sum.aa + aa, bb: sum.bb + bb });
  }
  return [...parts].map(([name, { ab, aa, bb }]) => ({
    name,
    cosine: aa === 0 || bb === 0 ? 0 : ab / Math.sqrt(aa * bb),
    norms: [Math.sqrt(aa), Math.sqrt(bb)],
  }));
}

/** The products of two vectors at hand, in the order of `names`; a tensor that only one has counts as zero in the other. */
export function* productsOf(
  names: Iterable<string>,
  a: Weights,
  b: Weights,
): Generator<readonly [name: string, Products]> {
  const none = new Float32Array();
  for (const name of names) {
    if (!a.has(name) && !b.has(name)) continue;
    const [x, y] = [a.get(name)?.data ?? none, b.get(name)?.data ?? none];
    yield [name, { ab: inner(x, y), aa: inner(x, x), bb: inner(y, y) }];
  }
}
