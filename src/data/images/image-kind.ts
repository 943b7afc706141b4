/** What kind of image a file is, by its first bytes. Names are not asked: whoever sends a file chooses its name, and with it would choose the decoder. */

/** The kinds that are read. */
export type ImageKind = "JPEG" | "PNG" | "WebP" | "GIF" | "TIFF" | "AVIF" | "BMP" | "PNM";

/** File name endings of images that are read, lower case. */
export const imageEndings: readonly string[] = [
  ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".tif", ".tiff", ".avif", ".bmp", ".dib", ".ppm", ".pgm", ".pbm", ".pnm",
]; // biome-ignore format: a list

/** Of images that are not read; where they lie among others they are counted, not passed over. */
export const foreignEndings: readonly string[] = [
  ".heic", ".heif", ".jp2", ".j2k", ".jxl", ".svg", ".ico", ".psd", ".tga", ".exr", ".hdr", ".dng", ".cr2", ".nef", ".arw",
]; // biome-ignore format: a list

const startsWith = (bytes: Uint8Array, text: string, at = 0) =>
  bytes.length >= at + text.length && Buffer.from(bytes.subarray(at, at + text.length)).toString("latin1") === text;

const kinds: readonly (readonly [ImageKind, (bytes: Uint8Array) => boolean])[] = [
  ["JPEG", (b) => startsWith(b, "\xff\xd8\xff")],
  ["PNG", (b) => startsWith(b, "\x89PNG\r\n\x1a\n")],
  ["WebP", (b) => startsWith(b, "RIFF") && startsWith(b, "WEBP", 8)],
  ["GIF", (b) => startsWith(b, "GIF87a") || startsWith(b, "GIF89a")],
  ["TIFF", (b) => startsWith(b, "II*\0") || startsWith(b, "MM\0*")],
  ["AVIF", (b) => startsWith(b, "ftyp", 4) && isAvif(b)],
  ["BMP", (b) => startsWith(b, "BM")],
  ["PNM", (b) => /^P[1-6]\s/.test(Buffer.from(b.subarray(0, 3)).toString("latin1"))],
];

/** AV1 in an ISO container: its brand, or one of those that it is compatible with. HEIC has the same container and another codec. */
function isAvif(bytes: Uint8Array): boolean {
  const box = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 256));
  const end = Math.min(box.readUInt32BE(0), box.length);
  for (let at = 8; at + 4 <= end; at += 4)
    if (["avif", "avis"].includes(box.toString("latin1", at, at + 4))) return true;
  return false;
}

/** Throws Error that says what the bytes look like where they are none of the kinds that are read. */
export function imageKind(bytes: Uint8Array): ImageKind {
  if (bytes.length === 0) throw new Error("the file is empty");
  const found = kinds.find(([, is]) => is(bytes));
  if (found !== undefined) return found[0];
  const read = "JPEG, PNG, WebP, GIF, TIFF, AVIF, BMP and PPM are";
  const strangers: readonly (readonly [string, boolean])[] = [
    ["HEIC", startsWith(bytes, "ftyp", 4)],
    ["SVG or other markup", /^\s*(\ufeff)?</.test(Buffer.from(bytes.subarray(0, 64)).toString("utf8"))],
    ["a Git LFS pointer (run git lfs pull in its repository)", startsWith(bytes, "version https://git-lfs")],
    ["PDF", startsWith(bytes, "%PDF")],
    ["JPEG 2000", startsWith(bytes, "jP  ", 4)],
    ["JPEG XL", startsWith(bytes, "\xff\x0a") || startsWith(bytes, "JXL ", 4)],
    ["gzip", startsWith(bytes, "\x1f\x8b")],
  ];
  const name = strangers.find(([, is]) => is)?.[0];
  throw new Error(
    name === undefined ? `its bytes are no image's; ${read} read` : `it is ${name}, which is not read; ${read}`,
  );
}
