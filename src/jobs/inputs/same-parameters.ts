/** Do two checkpoints have the same parameters? Arithmetic on weights is for those that do. */
import { badInput } from "../../tensor/error.ts";
import { sameShape } from "../../tensor/tensor.ts";

interface Shaped {
  readonly path: string;
  readonly shapes: ReadonlyMap<string, readonly number[]>;
}

/** Throws `bad-input` naming the first parameter that differs by name or shape; `why` says what only such models can. */
export function checkSameParameters(a: Shaped, b: Shaped, why: string): void {
  for (const [name, shape] of a.shapes) {
    const other = b.shapes.get(name);
    if (other === undefined) throw badInput(`${b.path} has no ${name}, which ${a.path} has; ${why}`);
    if (sameShape(shape, other)) continue;
    throw badInput(`${name} is [${shape}] in ${a.path} and [${other}] in ${b.path}; ${why}`);
  }
  const extra = [...b.shapes.keys()].find((name) => !a.shapes.has(name));
  if (extra !== undefined) throw badInput(`${a.path} has no ${extra}, which ${b.path} has; ${why}`);
}
