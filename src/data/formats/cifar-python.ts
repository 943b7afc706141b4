/** CIFAR's "python version": a pickle of labels and one array [N, 3072] of bytes, read as data; nothing in it is run. */
import { basename, dirname, join } from "node:path";
import { parsePickle } from "../../checkpoint/formats/pickle.ts";
import { nothingSeen, PickleCall, PickleName, type PickleValue } from "../../checkpoint/formats/pickle-values.ts";
import { readSmallFile } from "../../files/files.ts";
import { badInput } from "../../tensor/error.ts";
import type { Dataset } from "../dataset.ts";
import { cifarImages, pixelBytes } from "./cifar.ts";

/** CIFAR-100's training file has 155 MB. */
const maxBytes = 2 ** 28;

/** Each of its 50,000 images has a name, which is memorized, and two labels. */
const maxOpcodes = 400_000;

/** All that the files name. Another name, and the file is refused. */
const known = new Set([
  "numpy.core.multiarray _reconstruct",
  "numpy._core.multiarray _reconstruct",
  "numpy ndarray",
  "numpy dtype",
]);

/** Where labels and their names stand: CIFAR-100's fine ones, CIFAR-10's. */
const layouts = [
  { labels: "fine_labels", namesFile: "meta", names: "fine_label_names" },
  { labels: "labels", namesFile: "batches.meta", names: "label_names" },
];

/**
 * One file of the python version of CIFAR-100 or CIFAR-10, with `meta` or `batches.meta` beside it (`_` is read as a space). The file is read
 * once for its labels; pixels are read when asked for. Throws TbarError when the pickle names anything but numpy's arrays, or does not fit.
 */
export async function openCifarPython(file: string): Promise<Dataset> {
  const { bytes, fields } = await readPickle(file);
  const layout = layouts.find(({ labels }) => fields.has(labels));
  if (layout === undefined) throw badInput(`${file} has no fine_labels (CIFAR-100) or labels (CIFAR-10)`);
  const names = await readPickle(join(dirname(file), layout.namesFile));
  const classNames = listOf(names.fields.get(layout.names), isString, `${layout.namesFile}: ${layout.names}`);
  const isLabel = (value: PickleValue): value is number =>
    typeof value === "number" && Number.isInteger(value) && value >= 0 && value < classNames.length;
  const labels = listOf(fields.get(layout.labels), isLabel, `${file}: ${layout.labels}`);
  const pixels = bytesOfArray(fields.get("data"), labels.length, file);
  if (pixels.buffer !== bytes.buffer) throw badInput(`${file}: its pixels are not stored as bytes`);
  const start = pixels.byteOffset - bytes.byteOffset;
  return cifarImages({
    file,
    name: basename(file),
    namesFile: layout.namesFile,
    labels: Uint8Array.from(labels),
    classNames: classNames.map((name) => name.replaceAll("_", " ")),
    offset: (index) => start + index * pixelBytes,
  });
}

const isString = (value: PickleValue): value is string => typeof value === "string";

function listOf<T extends PickleValue>(
  value: PickleValue | undefined,
  is: (item: PickleValue) => item is T,
  what: string,
): T[] {
  if (!Array.isArray(value)) throw badInput(`${what} is no list`);
  const wrong = value.findIndex((item) => !is(item));
  if (wrong >= 0) throw badInput(`${what}: item ${wrong} does not fit`);
  return value;
}

async function readPickle(file: string): Promise<{ bytes: Buffer; fields: Map<PickleValue, PickleValue> }> {
  const bytes = await readSmallFile(file, maxBytes);
  const seen = nothingSeen();
  const fail = (reason: string): never => {
    throw badInput(`${file} is no pickle of CIFAR: ${reason}`);
  };
  const { value } = parsePickle(bytes, fail, { seen, most: maxOpcodes });
  const stranger = [...seen.names].find((name) => !known.has(name));
  if (stranger !== undefined)
    fail(`it names ${JSON.stringify(stranger)}, which no such file needs; do not load it in Python`);
  if (!(value instanceof Map)) fail("it holds no dict");
  return { bytes, fields: value as Map<PickleValue, PickleValue> };
}

/** The bytes of a numpy array [count, 3072] of uint8 in C order. */
function bytesOfArray(value: PickleValue | undefined, count: number, file: string): Uint8Array {
  const state = value instanceof PickleCall && Array.isArray(value.state) ? value.state : [];
  const [, shape, dtype, fortran, bytes] = state as PickleValue[];
  const fits =
    isArrayOf(shape, [count, pixelBytes]) &&
    dtype instanceof PickleCall &&
    dtype.callee instanceof PickleName &&
    dtype.callee.name === "numpy dtype" &&
    Array.isArray(dtype.args) &&
    dtype.args[0] === "u1" &&
    !fortran &&
    bytes instanceof Uint8Array &&
    bytes.length === count * pixelBytes;
  if (!fits) throw badInput(`${file}: data is no array of ${count} x ${pixelBytes} bytes`);
  return bytes;
}

function isArrayOf(value: PickleValue | undefined, numbers: readonly number[]): boolean {
  return (
    Array.isArray(value) && value.length === numbers.length && value.every((item, i) => Number(item) === numbers[i])
  );
}
