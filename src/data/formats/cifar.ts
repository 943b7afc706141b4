/** CIFAR's binary files: records of label bytes and 3072 pixel bytes (a 32 x 32 plane each of red, green, blue). */
import type { FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { withFile } from "../../files/files.ts";
import { badInput } from "../../tensor/error.ts";
import { tensor } from "../../tensor/tensor.ts";
import type { Dataset } from "../dataset.ts";
import { writePixels } from "../images/resample.ts";
import { framed } from "../images/resize.ts";
import type { Image } from "../images/rgb-image.ts";
import { rgbImage } from "../images/stored.ts";
import { readLines } from "../sets/class-names.ts";

/** The label is the last of the bytes before the pixels: CIFAR-100 has a coarse label first. */
const layouts = [
  { namesFile: "fine_label_names.txt", labelBytes: 2 }, // CIFAR-100
  { namesFile: "batches.meta.txt", labelBytes: 1 }, // CIFAR-10
];

const side = 32;
const plane = side * side;
/** Of one image. */
export const pixelBytes = 3 * plane;

/**
 * One .bin file of CIFAR-100 or CIFAR-10; which of them, the file of class names beside it says (`_` is read as a space).
 * Only labels are kept in memory. Throws TbarError on missing names, a size that is no whole number of records, or a
 * label without a name.
 */
export async function openCifar(file: string): Promise<Dataset> {
  const { classNames, labelBytes, namesFile } = await findLayout(file);
  const record = labelBytes + pixelBytes;
  const labels = await withFile(file, (handle) => readLabels(handle, file, record, labelBytes));
  const stranger = labels.findIndex((label) => label >= classNames.length);
  if (stranger >= 0)
    throw badInput(
      `${file}: record ${stranger} has label ${labels[stranger]}; ${namesFile} has ${classNames.length} names`,
    );
  const name = basename(file, ".bin");
  return cifarImages({ file, name, labels, classNames, namesFile, offset: (index) => index * record + labelBytes });
}

/** Images as planes of 32 x 32 bytes within a file, read when asked for. `offset` is where an image's first byte stands. */
export function cifarImages(source: {
  readonly file: string;
  readonly name: string;
  readonly labels: Uint8Array;
  readonly classNames: readonly string[];
  /** The file with the names. */
  readonly namesFile: string;
  readonly offset: (index: number) => number;
}): Dataset {
  const { file, name, labels, classNames, namesFile, offset } = source;
  return {
    name,
    size: labels.length,
    classNames,
    contents: {
      labels: namesFile.startsWith("fine") || namesFile === "meta" ? "fine label" : "label",
      classNames: namesFile,
    },
    example: (index) => ({ id: `${name}/${index}`, label: labels[index] }),
    shortSide: async () => side,
    async read(indices, preprocess) {
      const { cropSize } = preprocess;
      const out = tensor([indices.length, 3, cropSize, cropSize]);
      const size = 3 * cropSize * cropSize;
      const planes = new Uint8Array(pixelBytes);
      await withFile(file, async (handle) => {
        for (const [slot, index] of indices.entries()) {
          await readExactly(handle, file, planes, offset(index));
          const image = framed(rgbImage(interleave(planes)), preprocess);
          writePixels(image, out.data.subarray(slot * size, (slot + 1) * size));
        }
      });
      return out;
    },
  };
}

async function findLayout(file: string) {
  for (const { namesFile, labelBytes } of layouts) {
    const lines = await readLines(join(dirname(file), namesFile));
    if (lines !== undefined)
      return { namesFile, labelBytes, classNames: lines.map((line) => line.replaceAll("_", " ")) };
  }
  const wanted = layouts.map(({ namesFile }) => namesFile).join(" (CIFAR-100) or ");
  throw badInput(`${file}: no class names beside it; expected ${wanted} (CIFAR-10) in ${dirname(file)}`);
}

async function readLabels(handle: FileHandle, file: string, record: number, labelBytes: number): Promise<Uint8Array> {
  const { size } = await handle.stat();
  if (size === 0 || size % record !== 0)
    throw badInput(`${file}: ${size} bytes are no whole number of records of ${record} bytes`);
  const labels = new Uint8Array(size / record);
  const chunk = new Uint8Array(256 * record);
  for (let done = 0; done < labels.length; ) {
    const count = Math.min(256, labels.length - done);
    await readExactly(handle, file, chunk.subarray(0, count * record), done * record);
    for (let i = 0; i < count; i++) labels[done++] = chunk[i * record + labelBytes - 1];
  }
  return labels;
}

async function readExactly(handle: FileHandle, file: string, bytes: Uint8Array, position: number): Promise<void> {
  const { bytesRead } = await handle.read(bytes, 0, bytes.length, position);
  if (bytesRead < bytes.length)
    throw badInput(`${file} ends at byte ${position + bytesRead}, in the middle of a record`);
}

/** [3, 32, 32] -> [32, 32, 3] */
function interleave(planes: Uint8Array): Image {
  const data = new Uint8Array(pixelBytes);
  for (let c = 0; c < 3; c++) for (let i = 0; i < plane; i++) data[3 * i + c] = planes[c * plane + i];
  return { width: side, height: side, data };
}
