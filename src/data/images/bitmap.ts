/** BMP and PNM (PPM, PGM, PBM), which sharp does not read: pixels as Pillow gives them. */
import { roundHalfEven } from "./resize.ts";
import type { Image } from "./rgb-image.ts";

/** Refused above it, as everywhere. */
export interface PixelLimits {
  readonly pixels: number;
  readonly side: number;
}

function checkSize(width: number, height: number, { pixels, side }: PixelLimits): void {
  if (!(width >= 1 && height >= 1)) throw new Error(`${width} x ${height} pixels`);
  if (Math.max(width, height) > side) throw new Error(`a side of more than ${side} pixels`);
  if (width * height > pixels) throw new Error(`${width} x ${height} exceeds the pixel limit of ${pixels}`);
}

/** Uncompressed BMP of 1, 4 and 8 bits (with a palette), 24 and 32 bits; rows run upwards unless the height is negative. Throws Error on others. */
export function decodeBmp(bytes: Uint8Array, limits: PixelLimits): Image {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (file.length < 26) throw new Error("it ends in its header");
  const start = file.readUInt32LE(10);
  const header = file.readUInt32LE(14);
  const isOld = header === 12;
  if (!isOld && (header < 40 || header > 124 || file.length < 14 + header))
    throw new Error(`a header of ${header} bytes`);
  const [width, signed] = isOld
    ? [file.readUInt16LE(18), file.readUInt16LE(20)]
    : [file.readInt32LE(18), file.readInt32LE(22)];
  const height = Math.abs(signed);
  const bits = file.readUInt16LE(isOld ? 24 : 28);
  const compression = isOld ? 0 : file.readUInt32LE(30);
  checkSize(width, height, limits);
  const masked = compression === 3 && bits === 32 && hasUsualMasks(file, header);
  if ((compression !== 0 && !masked) || ![1, 4, 8, 24, 32].includes(bits))
    throw new Error(`a BMP of ${bits} bits with compression ${compression} is not read; save it as PNG`);

  const palette = bits <= 8 ? paletteOf(file, { header, isOld, bits, start }) : undefined;
  const stride = Math.ceil((width * bits) / 32) * 4;
  if (start + stride * height > file.length) throw new Error("it is cut short");
  const data = new Uint8Array(3 * width * height);
  const step = bits / 8;
  for (let y = 0, to = 0; y < height; y++) {
    const row = start + stride * (signed < 0 ? y : height - 1 - y);
    for (let x = 0; x < width; x++) {
      let [from, source] = [row + x * step, file];
      if (palette !== undefined) {
        const bit = x * bits;
        from = 4 * ((file[row + (bit >> 3)] >> (8 - bits - (bit & 7))) & ((1 << bits) - 1));
        source = palette;
      }
      for (let c = 2; c >= 0; c--) data[to++] = source[from + c]; // stored blue first
    }
  }
  return { width, height, data };
}

/** Whether blue, green and red are the first bytes, as without masks. */
function hasUsualMasks(file: Buffer, header: number): boolean {
  const at = 14 + 40; // behind a header of 40 bytes, or within a longer one
  return (
    file.length >= at + 12 &&
    header >= 40 &&
    file.readUInt32LE(at) === 0xff0000 &&
    file.readUInt32LE(at + 4) === 0xff00 &&
    file.readUInt32LE(at + 8) === 0xff
  );
}

/** Four bytes a colour, blue first; entries that the file lacks are black. */
function paletteOf(
  file: Buffer,
  { header, isOld, bits, start }: { header: number; isOld: boolean; bits: number; start: number },
): Buffer {
  const size = isOld ? 3 : 4;
  const claimed = isOld ? 0 : file.readUInt32LE(46);
  const count = Math.min(claimed || 1 << bits, 1 << bits, Math.floor(Math.max(0, start - 14 - header) / size));
  const palette = Buffer.alloc(4 << bits);
  for (let i = 0; i < count; i++) file.copy(palette, 4 * i, 14 + header + size * i, 14 + header + size * i + 3);
  return palette;
}

/** Binary PPM, PGM and PBM (P6, P5, P4) of 8 bits and less. Throws Error on those in decimal digits and of 16 bits. */
export function decodePnm(bytes: Uint8Array, limits: PixelLimits): Image {
  const kind = String.fromCharCode(bytes[0], bytes[1]);
  const channels = { P4: 0, P5: 1, P6: 3 }[kind];
  if (channels === undefined) throw new Error(`${kind}, pixels in decimal digits, is not read; save it as PNG`);
  let at = 2;
  const number = () => {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + at, Math.min(bytes.length - at, 4096)).toString("latin1");
    const [whole, digits] = /^(?:\s|#[^\r\n]*[\r\n])+(\d{1,9})/.exec(text) ?? [];
    if (whole === undefined) throw new Error("a header without its numbers");
    at += whole.length;
    return Number(digits);
  };
  const [width, height] = [number(), number()];
  const most = channels === 0 ? 1 : number();
  if (!(most >= 1 && most <= 255)) throw new Error(`levels up to ${most} are not read; save it as 8-bit PNG`);
  at++; // one blank behind the header
  checkSize(width, height, limits);
  const stride = channels === 0 ? Math.ceil(width / 8) : width * channels;
  if (at + stride * height > bytes.length) throw new Error("it is cut short");
  const data = new Uint8Array(3 * width * height);
  const scaled = Uint8Array.from({ length: 256 }, (_, v) => Math.min(255, roundHalfEven((v / most) * 255)));
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) {
        if (channels === 0) data[to++] = (bytes[at + y * stride + (x >> 3)] >> (7 - (x & 7))) & 1 ? 0 : 255;
        else data[to++] = scaled[bytes[at + y * stride + x * channels + (channels === 3 ? c : 0)]];
      }
    }
  }
  return { width, height, data };
}
