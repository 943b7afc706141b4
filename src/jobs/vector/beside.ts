/** What two checkpoints hold beside their parameters, and whether it is the same. */
import type { Checkpoint } from "../../checkpoint/clip-folder.ts";
import { openWeights } from "../../checkpoint/formats/open-weights.ts";
import { byteLength } from "../../checkpoint/formats/safetensors-header.ts";
import { entryOf, type TensorFile } from "../../checkpoint/formats/tensor-file.ts";
import { pieces } from "../../checkpoint/pieces.ts";
import { printable } from "../../tensor/printable.ts";
import { sameShape } from "../../tensor/tensor.ts";

/** Tensors that hold no parameter, or were left out, and of which one file has none, or other bytes. */
export async function differingBeside(a: Checkpoint, b: Checkpoint): Promise<string[]> {
  const names = (of: Checkpoint) => new Set([...of.extras, ...of.ignored].map((name) => bareName(of, name)));
  const [ours, theirs] = [names(a), names(b)];
  const differ = [...ours, ...theirs].filter((name) => ours.has(name) !== theirs.has(name));
  const shared = [...ours].filter((name) => theirs.has(name));
  if (shared.length === 0) return differ;
  const [x, y] = [await openWeights(a.weightsFile), await openWeights(b.weightsFile)];
  try {
    for (const name of shared)
      if (!(await sameBytes(x, ownName(a, x, name), y, ownName(b, y, name)))) differ.push(name);
  } finally {
    await x.close();
    await y.close();
  }
  return differ;
}

const bareName = ({ prefix }: Checkpoint, name: string) => (name.startsWith(prefix) ? name.slice(prefix.length) : name);
const ownName = ({ prefix }: Checkpoint, { tensors }: TensorFile, bare: string) =>
  tensors.has(prefix + bare) ? prefix + bare : bare;

async function sameBytes(x: TensorFile, one: string, y: TensorFile, other: string): Promise<boolean> {
  const [a, b] = [entryOf(x, one), entryOf(y, other)];
  if (a.dtype !== b.dtype || !sameShape(a.shape, b.shape)) return false;
  for (const [from, count] of pieces(byteLength(a.dtype, a.shape) ?? 0)) {
    const [p, q] = [await x.readRange(one, from, from + count), await y.readRange(other, from, from + count)];
    if (!Buffer.from(p).equals(q)) return false;
  }
  return true;
}

export function besideText(names: readonly string[]): string {
  const some = names.slice(0, 5).map((name) => printable(name, 80));
  const more = names.length > 5 ? `, ... (${names.length} in all)` : "";
  return `tensors that are no parameters differ: ${some.join(", ")}${more}`;
}
