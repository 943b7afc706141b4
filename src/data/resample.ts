/** Weighted sums of rows and columns of 8-bit R,G,B pixels in fixed point; the loops are WebAssembly (resample.wat). */
import type { Image } from "./image.ts";
import { resampleWasm } from "./resample-wasm.ts";

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

/** As Node has it; TypeScript declares it for browsers alone. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { readonly exports: unknown };
};

interface Loops {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  across(
    ...pointers: [number, number, number, number, number, number, number, number, number] // as resample.wat names them
  ): void;
  down(...pointers: [number, number, number, number, number, number, number, number]): void;
}

let loops: Loops | undefined;
const bandBytes = 1 << 20;
const pageBytes = 1 << 16;

/**
 * Each row by the weights of `across`, then each column by those of `down`, each pass rounded to 8 bits. The image passes through in bands of
 * a megabyte.
 */
export function resample({ width, data }: Image, across: Weights, down: Weights): Image {
  loops ??= new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(resampleWasm, "base64"))).exports as Loops;
  const [outWidth, outHeight] = [across.first.length, down.first.length];
  const top = down.first[0]; // only the rows that the second pass will read
  const rows = down.first[outHeight - 1] + down.count[outHeight - 1] - top;
  const line = 3 * width;
  const outLine = 3 * outWidth;
  const bandRows = Math.max(1, Math.floor(bandBytes / line));

  let end = 0;
  const place = (bytes: number) => {
    const start = end;
    end += Math.ceil((bytes + 16) / 16) * 16; // the loops read and write up to 15 bytes too many
    return start;
  };
  const tables = [across, down].map(({ first, count, table }) => [first, count, table].map((t) => place(t.byteLength)));
  const band = place(bandRows * line);
  const narrow = place(rows * outLine);
  const out = place(outHeight * outLine);
  const missing = end - loops.memory.buffer.byteLength;
  if (missing > 0) loops.memory.grow(Math.ceil(missing / pageBytes));

  const memory = new Uint8Array(loops.memory.buffer);
  const words = new Int32Array(loops.memory.buffer);
  [across, down].forEach(({ first, count, table }, pass) => {
    [first, count, table].forEach((t, i) => {
      words.set(t, tables[pass][i] / 4);
    });
  });
  const [first, count, table] = tables[0];
  for (let y = 0; y < rows; y += bandRows) {
    const some = Math.min(bandRows, rows - y);
    memory.set(data.subarray((top + y) * line, (top + y + some) * line), band);
    loops.across(band, line, some, first, count, table, across.taps, outWidth, narrow + y * outLine);
  }
  const [firstRow, countRows, rowTable] = tables[1];
  loops.down(narrow - top * outLine, outLine, firstRow, countRows, rowTable, down.taps, outHeight, out);
  return { width: outWidth, height: outHeight, data: memory.slice(out, out + outHeight * outLine) };
}
