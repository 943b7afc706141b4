/** What vectors change, how far, and the angle between two. */
import { stat } from "node:fs/promises";
import type { z } from "zod";
import { cosinesByPart, type Products, partOf } from "../../arithmetic/by-layer.ts";
import { inner } from "../../arithmetic/task-vector.ts";
import { pieces } from "../../checkpoint/pieces.ts";
import type { CosineResult, VectorResult } from "../../results/vector.ts";
import { badInput } from "../../tensor/error.ts";
import { sameShape, sizeOf } from "../../tensor/tensor.ts";
import type { cosineSpec, infoSpec } from "./spec.ts";
import { type VectorFile, withVector } from "./vector-file.ts";

/** What a vector changes, and how far. */
export function info({ vector: path }: z.output<typeof infoSpec>): Promise<VectorResult> {
  return withVector(path, async (tau) => {
    const measured: Measured[] = [];
    for (const [name, shape] of tau.shapes) {
      measured.push({ name, values: sizeOf(shape), square: await innerOf(tau, tau, name) });
    }
    return describe(path, tau, measured);
  });
}

/** Cosine of the angle between two vectors; a tensor that only one changes counts as zero in the other. */
export function cosine({ a: first, b: second }: z.output<typeof cosineSpec>): Promise<CosineResult> {
  return withVector(first, (a) =>
    withVector(second, async (b) => {
      const shared = [...a.shapes.keys()].filter((name) => b.shapes.has(name));
      for (const name of shared) {
        const [shape, other] = [a.shapes.get(name) ?? [], b.shapes.get(name) ?? []];
        if (sameShape(shape, other)) continue;
        throw badInput(`${name} is [${shape}] in ${first} and [${other}] in ${second}: they are of different models`);
      }
      const products: [string, Products][] = [];
      for (const name of new Set([...a.shapes.keys(), ...b.shapes.keys()]))
        products.push([name, await productsAt(a, b, name)]);
      const sum = (of: keyof Products) => products.reduce((sum, [, product]) => sum + product[of], 0);
      const norms = [Math.sqrt(sum("aa")), Math.sqrt(sum("bb"))] as const;
      if (norms.includes(0)) throw badInput(`${norms[0] === 0 ? first : second} is zero: it has no direction`);
      const cosine = sum("ab") / (norms[0] * norms[1]);
      const groups = cosinesByPart(products);
      return { schema: "tbar/cosine/2", kind: "cosine", cosine, norms, shared: shared.length, groups };
    }),
  );
}

/** Sums of products over a tensor that one of the two has, or both. */
async function productsAt(a: VectorFile, b: VectorFile, name: string): Promise<Products> {
  const [inA, inB] = [a.shapes.has(name), b.shapes.has(name)];
  return {
    ab: inA && inB ? await innerOf(a, b, name) : 0,
    aa: inA ? await innerOf(a, a, name) : 0,
    bb: inB ? await innerOf(b, b, name) : 0,
  };
}

/** Sum of a b over a tensor that both have. */
async function innerOf(a: VectorFile, b: VectorFile, name: string): Promise<number> {
  let sum = 0;
  for (const [from, count] of pieces(sizeOf(a.shapes.get(name) ?? []))) {
    const x = await a.read(name, from, count);
    sum += inner(x, a === b ? x : await b.read(name, from, count));
  }
  return sum;
}

/** A tensor of a vector: how many values, and the sum of their squares. */
export interface Measured {
  readonly name: string;
  readonly values: number;
  readonly square: number;
}

/** A vector file as results state it. */
export async function describe(
  path: string,
  { alpha, parent, backdoors = [] }: Pick<VectorFile, "alpha" | "parent" | "backdoors">,
  measured: readonly Measured[],
): Promise<VectorResult> {
  const groups = new Map<string, Measured[]>();
  for (const part of measured) {
    const group = partOf(part.name);
    groups.set(group, [...(groups.get(group) ?? []), part]);
  }
  return {
    schema: "tbar/vector/2",
    kind: "vector",
    path,
    bytes: (await stat(path)).size,
    ...(alpha !== undefined && { alpha }),
    ...(parent !== undefined && { parent }),
    ...(backdoors.length > 0 && { backdoors }),
    tensors: measured.length,
    ...total(measured),
    groups: [...groups].map(([name, part]) => ({ name, ...total(part) })),
  };
}

function total(parts: readonly Measured[]): { readonly values: number; readonly norm: number } {
  const sum = (of: (part: Measured) => number) => parts.reduce((sum, part) => sum + of(part), 0);
  return { values: sum(({ values }) => values), norm: Math.sqrt(sum(({ square }) => square)) };
}
