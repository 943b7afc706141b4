/** What an image file's header says of how its pixels are stored, by Pillow's modes: `P` and `1`, `L` and `RGB`, or another. */

export type StoredForm =
  /** Numbers of colours (`P`), or black and white (`1`). */
  | { readonly kind: "palette"; readonly colourOf: (index: number) => readonly number[] }
  /** Grey or red, green and blue. */
  | { readonly kind: "opaque" }
  /** The same, perhaps with a colour that is transparent. */
  | { readonly kind: "plain" }
  /** What would not be what Python sees: the reason, behind "it is". */
  | { readonly kind: "refused"; readonly why: string }
  /** Perhaps with alpha or in inks: its decoder knows. */
  | { readonly kind: "other" };

const plain = { kind: "plain" } as const;
const other = { kind: "other" } as const;
/** Pillow's `I;16`, `I` and `F`. */
const deepGrey = {
  kind: "refused",
  why: "grey with more than 8 bits, which Python makes white; store it with 8 bits",
} as const;
const alphaBitmap = { kind: "refused", why: "a BMP with alpha; store it as PNG" } as const;

/** `components` are those of a JPEG. */
export function storedForm(bytes: Uint8Array, components?: number): StoredForm {
  if (components === 1 || components === 3) return { kind: "opaque" };
  const at = (offset: number) => bytes[offset] ?? 0;
  const starts = (text: string) => [...text].every((char, i) => at(i) === char.charCodeAt(0));
  if (starts("\x89PNG\r\n")) return pngForm(bytes);
  if (starts("GIF8")) return gifForm(bytes);
  if (starts("II*\0") || starts("MM\0*")) return tiffForm(bytes);
  if (starts("BM")) return bmpForm(bytes);
  if (starts("P1") || starts("P4")) return blackAndWhite;
  return starts("P2") || starts("P3") || starts("P5") || starts("P6") ? plain : other;
}

const blackAndWhite = { kind: "palette", colourOf: (level) => (level === 0 ? [0, 0, 0] : [255, 255, 255]) } as const satisfies StoredForm; // biome-ignore format: one line

/** Black beyond its end, as Pillow has it. `stride` bytes a colour, in the order of `rgb`. */
function palette(colours: Uint8Array, stride = 3, rgb: readonly number[] = [0, 1, 2]): StoredForm {
  return { kind: "palette", colourOf: (index) => rgb.map((c) => colours[stride * index + c] ?? 0) };
}

/** Pillow takes a palette of 0, 1, 2, ... in grey for no palette. */
const isGreyRamp = (colours: Uint8Array): boolean => colours.every((level, i) => level === Math.floor(i / 3));

function pngForm(bytes: Uint8Array): StoredForm {
  const [depth, type] = [bytes[24], bytes[25]];
  if (type === 0) return depth === 1 ? blackAndWhite : depth === 16 ? deepGrey : plain;
  if (type !== 3) return type === 2 ? plain : other;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 8; at + 8 <= bytes.length; ) {
    const length = view.getUint32(at);
    if (view.getUint32(at + 4) === 0x504c5445) return palette(bytes.subarray(at + 8, at + 8 + length)); // PLTE
    at += 12 + length;
  }
  return palette(new Uint8Array());
}

/** The first frame's own palette, else that of all. */
function gifForm(bytes: Uint8Array): StoredForm {
  const tableAt = (at: number, flags: number) => bytes.subarray(at, at + (flags & 0x80 ? 3 << ((flags & 7) + 1) : 0));
  const shared = tableAt(13, bytes[10]);
  for (let at = 13 + shared.length; at < bytes.length; ) {
    if (bytes[at] === 0x2c) {
      const own = tableAt(at + 10, bytes[at + 9]);
      const colours = own.length > 0 ? own : shared;
      return colours.length === 0 || isGreyRamp(colours) ? plain : palette(colours);
    }
    if (bytes[at] !== 0x21) break;
    for (at += 2; bytes[at] > 0; ) at += 1 + bytes[at]; // an extension's blocks
    at++;
  }
  return plain;
}

function bmpForm(bytes: Uint8Array): StoredForm {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 54) return plain;
  const header = view.getUint32(14, true);
  const bits = header === 12 ? view.getUint16(24, true) : view.getUint16(28, true);
  const isMasked = bits === 32 && header >= 56 && view.getUint32(30, true) === 3;
  if (isMasked && bytes.length >= 70 && view.getUint32(66, true) !== 0) return alphaBitmap;
  if (bits > 8) return plain;
  const stride = header === 12 ? 3 : 4;
  const count = Math.min((header === 12 ? 0 : view.getUint32(46, true)) || 2 ** bits, 2 ** bits); // whatever the file claims
  const colours = bytes.subarray(14 + header, 14 + header + stride * count);
  const greys = Array.from({ length: count }, (_, i) => (count === 2 ? 255 * i : i));
  const isGrey = greys.every((level, i) => [0, 1, 2].every((c) => colours[stride * i + c] === level));
  if (isGrey) return count === 2 ? blackAndWhite : plain;
  return palette(colours, stride, [2, 1, 0]);
}

/** By the first directory's bits per sample (258), photometric interpretation (262) and colour map (320). */
function tiffForm(bytes: Uint8Array): StoredForm {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = bytes[0] === 0x49;
  const short = (at: number) => (at + 2 <= bytes.length ? view.getUint16(at, little) : 0);
  const long = (at: number) => (at + 4 <= bytes.length ? view.getUint32(at, little) : 0);
  const directory = long(4);
  const entries = new Map<number, number>();
  for (let i = 0; i < short(directory); i++) entries.set(short(directory + 2 + 12 * i), directory + 2 + 12 * i);
  const value = (tag: number, usual: number) => (entries.has(tag) ? short(entries.get(tag)! + 8) : usual);
  if (value(262, 1) === 3) {
    const map = entries.get(320);
    if (map === undefined) return palette(new Uint8Array());
    const [count, start] = [long(map + 4) / 3, long(map + 8)];
    return { kind: "palette", colourOf: (i) => [0, 1, 2].map((c) => (i < count ? short(start + 2 * (c * count + i)) >> 8 : 0)) }; // biome-ignore format: one line
  }
  if (value(277, 1) > 1) return other;
  return value(258, 1) > 8 ? deepGrey : value(258, 1) === 1 ? blackAndWhite : other;
}
