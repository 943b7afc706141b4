/** Reverse mode as a rewrite from graph to graph: the gradient is built from table ops and can be differentiated again. */
import { filled, type Node, topological } from "./node.ts";
import { entryOf } from "./op.ts";
import { add } from "./ops/index.ts";

/**
 * d loss / d w for each of `wrt`, as nodes of the same shapes; zeros where the loss does not depend on one.
 * `loss` may have any shape: the gradient is that of its sum.
 */
export function grad(loss: Node, wrt: readonly Node[]): Node[] {
  const order = topological([loss]);
  const needed = new Set<Node>(wrt);
  for (const node of order) if (node.inputs.some((x) => needed.has(x))) needed.add(node);

  const gradient = new Map<Node, Node>([[loss, filled(loss.shape, 1)]]);
  for (const y of order.reverse()) {
    const dy = gradient.get(y);
    if (dy === undefined || y.inputs.length === 0 || !needed.has(y)) continue;
    const dx = entryOf(y.op).grad({ x: y.inputs, y, dy, attrs: y.attrs });
    y.inputs.forEach((x, i) => {
      const part = dx[i];
      if (part === undefined || !needed.has(x)) return;
      const sum = gradient.get(x);
      gradient.set(x, sum === undefined ? part : add(sum, part));
    });
  }
  return wrt.map((w) => gradient.get(w) ?? filled(w.shape, 0));
}
