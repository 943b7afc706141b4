/** The two heavy loops over 8-bit R,G,B pixels: weighted sums of rows and columns in fixed point, and bytes to planes of floats; in WebAssembly (resample.wat). */
import { wasmExports } from "../../tensor/wasm.ts";
import { resampleWasm } from "./resample-wasm.ts";
import type { Image } from "./rgb-image.ts";

/** For each output position: its first input, how many, and their weights as integers over 2^22. */
export interface Weights {
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** [positions, taps] */
  readonly table: Int32Array;
  readonly taps: number;
}

/** Bits of a weight behind the point: what 8 bits of pixel and two of overshoot leave of 32. */
export const weightBits = 22;

interface Loops {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  across(
    ...pointers: [number, number, number, number, number, number, number, number, number, number] // as resample.wat names them
  ): void;
  down(...pointers: [number, number, number, number, number, number, number, number, number]): void;
  planes(input: number, count: number, out: number, plane: number): void;
}

const pageBytes = 1 << 16;
/** What passes through the loops' memory at a time. */
const bandBytes = 1 << 20;

let loops: Loops | undefined;

/** The loops, and where in their memory pieces of these sizes lie. */
function workspace(...sizes: readonly number[]): { readonly loops: Loops; readonly at: readonly number[] } {
  loops ??= wasmExports<Loops>(resampleWasm);
  let end = 0;
  const at = sizes.map((size) => {
    const start = end;
    end += Math.ceil((size + 16) / 16) * 16; // reads and writes end up to 15 bytes too late
    return start;
  });
  const missing = end - loops.memory.buffer.byteLength;
  if (missing > 0) loops.memory.grow(Math.ceil(missing / pageBytes));
  return { loops, at };
}

/**
 * Each row by the weights of `across`, then each column by those of `down`, each pass rounded to 8 bits. The image passes through in bands of
 * a megabyte.
 */
export function resample({ width, data }: Image, across: Weights, down: Weights): Image {
  const [outWidth, outHeight] = [across.first.length, down.first.length];
  const top = down.first[0]; // only the rows that the second pass will read
  const rows = down.first[outHeight - 1] + down.count[outHeight - 1] - top;
  const line = 3 * width;
  const outLine = 3 * outWidth;
  const narrowLine = 16 * Math.ceil((outLine + 1) / 16); // a byte is written beyond each
  const bandRows = 4 * Math.max(1, Math.floor(bandBytes / line / 4)); // four at a time
  const [columns, lines] = [inPairs(across), inPairs(down)];
  const tables = [across.first, columns.count, columns.table, down.first, lines.count, lines.table];
  const { loops, at } = workspace(
    bandRows * line,
    (4 * Math.ceil(rows / 4) + 1) * narrowLine,
    outHeight * outLine,
    ...tables.map((table) => table.byteLength),
  );
  const [band, narrow, out, first, count, table, firstRow, countRows, rowTable] = at;
  const memory = new Uint8Array(loops.memory.buffer);
  for (const [i, table] of tables.entries()) new Int32Array(memory.buffer, at[3 + i], table.length).set(table);

  for (let y = 0; y < rows; y += bandRows) {
    const some = Math.min(bandRows, rows - y);
    memory.set(data.subarray((top + y) * line, (top + y + some) * line), band);
    loops.across(band, line, some, first, count, table, columns.pairs, outWidth, narrow + y * narrowLine, narrowLine);
  }
  loops.down(
    narrow - top * narrowLine,
    narrowLine,
    outLine,
    firstRow,
    countRows,
    rowTable,
    lines.pairs,
    outHeight,
    out,
  );
  return { width: outWidth, height: outHeight, data: memory.slice(out, out + outHeight * outLine) };
}

interface Pairs {
  /** Pairs of each output position, and most of all. */
  readonly count: Int32Array;
  readonly pairs: number;
  /** [positions, pairs, 2] */
  readonly table: Int32Array;
}

/** Lines of one size come again and again. */
const paired = new WeakMap<Weights, Pairs>();

/** Weights two by two: their upper halves (over 2^11) in one word, their lower 11 bits in another. */
function inPairs(weights: Weights): Pairs {
  const known = paired.get(weights);
  if (known !== undefined) return known;
  const { first, count, table, taps } = weights;
  const half = (n: number) => (n + 1) >> 1;
  const pairs = half(taps);
  const words = new Int32Array(first.length * pairs * 2);
  for (let x = 0; x < first.length; x++) {
    for (let k = 0; k < count[x]; k += 2) {
      const a = table[x * taps + k];
      const b = k + 1 < count[x] ? table[x * taps + k + 1] : 0;
      const to = x * pairs * 2 + k;
      words[to] = ((a >> 11) & 0xffff) | ((b >> 11) << 16);
      words[to + 1] = (a & 0x7ff) | ((b & 0x7ff) << 16);
    }
  }
  const made = { count: count.map(half), pairs, table: words };
  paired.set(weights, made);
  return made;
}

/** Bytes [H, W, 3] -> values [3, H, W] in [0, 1], written to `out`. */
export function writePixels({ width, height, data }: Image, out: Float32Array): void {
  const plane = width * height;
  const most = Math.min(bandBytes / 4, 4 * Math.ceil(plane / 4));
  const { loops, at } = workspace(3 * most, 3 * 4 * most);
  const [bytes, values] = at;
  const memory = loops.memory.buffer;
  for (let start = 0; start < plane; start += most) {
    const count = Math.min(most, plane - start);
    new Uint8Array(memory).set(data.subarray(3 * start, 3 * (start + count)), bytes);
    loops.planes(bytes, count, values, 4 * most);
    for (let c = 0; c < 3; c++) out.set(new Float32Array(memory, values + c * 4 * most, count), c * plane + start);
  }
}
