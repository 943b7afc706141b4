/** Parameters piece by piece: tensors of any size pass through a few megabytes of memory. */
import { unknownName } from "../tensor/error.ts";
import { sizeOf } from "../tensor/tensor.ts";
import { checkFinite } from "./checks.ts";
import { byteLength } from "./formats/safetensors-header.ts";
import { entryOf, type TensorFile } from "./formats/tensor-file.ts";
import { ourShape, type Part, putTogether, takeApart } from "./names/parts.ts";

/** Values of one piece: 4 MiB as float32. */
const pieceSize = 2 ** 20;

/** The pieces of so many values, as [place of the first, count], of at most `most` values each. */
export function* pieces(size: number, most = pieceSize): Generator<readonly [number, number]> {
  for (let from = 0; from < size; from += most) yield [from, Math.min(most, size - from)];
}

/** Memory for one piece. */
export type PieceBuffer = Float32Array<ArrayBuffer>;

/**
 * Memory for pieces that is used again: to allocate all anew costs more than to compute. Three in turn are enough for one that is
 * read, one in use, and one on its way to the disk.
 */
export function pieceBuffers(): () => PieceBuffer {
  const buffers = [0, 1, 2].map(() => new Float32Array(pieceSize));
  let turn = 0;
  return () => buffers[turn++ % buffers.length];
}

/** The parameters of an open file. */
export interface Parameters {
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /**
   * `count` values from place `from` on: in the memory of `into` where that helps, else in an array of their own. Throws `bad-input`
   * when one of them is not finite.
   */
  read(name: string, from: number, count: number, into?: PieceBuffer): Promise<Float32Array>;
}

/** A transposed tensor is read whole and kept until another is asked for: the projections that are stored so are small. */
export function parametersOf(file: TensorFile, parts: readonly Part[]): Parameters {
  const places = new Map(parts.flatMap((part) => part.ours.map((name, i) => [name, { part, i }] as const)));
  const shapeIn = (part: Part) => ourShape(part, file.tensors.get(part.file)?.shape ?? []) ?? [];
  const shapes = new Map([...places].map(([name, { part }]) => [name, shapeIn(part)] as const));
  let whole: { readonly name: string; readonly data: Float32Array } | undefined;
  return {
    shapes,
    async read(name, from, count, into) {
      const place = places.get(name);
      if (place === undefined) throw unknownName("parameter", name, [...places.keys()]);
      const { part, i } = place;
      let data: Float32Array;
      if (part.form === "transposed") {
        if (whole?.name !== name) whole = { name, data: takeApart(part, await file.read(part.file))[i].data };
        data = whole.data.slice(from, from + count);
      } else {
        data = await file.readPart(part.file, i * sizeOf(shapeIn(part)) + from, count, into);
      }
      checkFinite(part.file, { data }, file.path, from);
      return data;
    },
  };
}

/** Values of a parameter: `count` from place `from` on. */
export interface Piece {
  readonly name: string;
  readonly from: number;
  readonly count: number;
}

/** The pieces of these parameters, one after the other. */
export function* piecesOf(names: Iterable<string>, shapes: Parameters["shapes"]): Generator<Piece> {
  for (const name of names) {
    for (const [from, count] of pieces(sizeOf(shapes.get(name) ?? []))) yield { name, from, count };
  }
}

/**
 * The same parameters for one who asks for these pieces in turn: each is read while the one before is in use, and stays as it is
 * until the second one after it is asked for. Anything else is read when it is asked for.
 */
export function readAhead({ shapes, read }: Parameters, plan: Iterator<Piece>): Parameters {
  const buffer = pieceBuffers();
  const begin = () => {
    const { value: piece, done } = plan.next();
    if (done) return undefined;
    const data = read(piece.name, piece.from, piece.count, buffer());
    data.catch(() => {}); // thrown to the one who asks for it
    return { ...piece, data };
  };
  let next = begin();
  return {
    shapes,
    read(name, from, count) {
      const ready = next;
      if (ready?.name !== name || ready.from !== from || ready.count !== count) return read(name, from, count);
      next = begin();
      return ready.data;
    },
  };
}

/** Changes values of a parameter in place: those from place `from` on. */
export type Change = (from: number, values: Float32Array) => Promise<void>;

/** The values of a file's tensor anew, those of some of its parameters changed on the way. */
export async function* changedPieces(
  { shapes, read }: Parameters,
  part: Part,
  changes: ReadonlyMap<string, Change>,
): AsyncGenerator<Float32Array> {
  for (const name of part.ours) {
    const shape = shapes.get(name) ?? [];
    const whole = part.form === "transposed" ? new Float32Array(sizeOf(shape)) : undefined;
    for (const [from, count] of pieces(sizeOf(shape))) {
      const data = await read(name, from, count);
      await changes.get(name)?.(from, data);
      checkFinite(name, { data }, "new weights", from);
      if (whole === undefined) yield data;
      else whole.set(data, from);
    }
    if (whole !== undefined) yield putTogether(part, [{ shape, data: whole }]).data;
  }
}

/** The bytes of a tensor as they lie in the file. */
export async function* rawPieces(
  file: TensorFile,
  name: string,
  buffer: () => PieceBuffer,
): AsyncGenerator<Uint8Array> {
  const { dtype, shape } = entryOf(file, name);
  for (const [from, count] of pieces(byteLength(dtype, shape) ?? 0, 4 * pieceSize)) {
    yield await file.readRange(name, from, from + count, new Uint8Array(buffer().buffer, 0, count));
  }
}
