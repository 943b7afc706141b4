/**
 * PyTorch's .pt, .pth and .bin files as `torch.save` (since 1.6) and `torch.jit.save` write them: a zip of one pickle, read as
 * data, and raw storages, of which tensors are views. Only read: tbar writes no pickles.
 */
import type { FileHandle } from "node:fs/promises";
import { openFile, readBytes } from "../../files/files.ts";
import { badInput } from "../../tensor/error.ts";
import { quote } from "./header-json.ts";
import { parsePickle } from "./pickle.ts";
import { nothingSeen } from "./pickle-values.ts";
import { refusePolyglot } from "./polyglot.ts";
import { byteLength, DTYPE_BITS } from "./safetensors-header.ts";
import { type Bytes, entryOf, type TensorFile, withValues } from "./tensor-file.ts";
import { isKnownName } from "./torch-names.ts";
import { type StorageView, tensorsOf } from "./torch-pickle.ts";
import { type Fail, failing, readZipDirectory, refuseHoles, type ZipEntry, zipDataOffset } from "./zip.ts";

const MAX_PICKLE = 4 * 2 ** 20;

/** The archive's entries, their names as they are inside of its one folder. */
export interface TorchArchive {
  readonly entries: ReadonlyMap<string, ZipEntry>;
  /** `torch.jit.save` adds the module's code, which is not read. */
  readonly isScript: boolean;
}

/** The directory of a PyTorch archive; throws `bad-input` when it is none, or has a compressed entry where weights lie. */
export async function readTorchArchive(file: FileHandle, path: string): Promise<TorchArchive> {
  const fail = failing(path);
  const all = await readZipDirectory(file, path);
  const roots = new Set([...all.keys()].map((name) => name.slice(0, name.indexOf("/") + 1)));
  const [root] = roots;
  if (roots.size !== 1 || !all.has(`${root}data.pkl`)) fail("it is a zip, but not one folder with a data.pkl");
  const entries = new Map([...all].map(([name, entry]) => [name.slice(root.length), entry] as const));
  for (const [name, { stored }] of entries) {
    if (!stored && !name.startsWith("code/")) fail(`its entry ${quote(name)} is compressed, which torch never does`);
  }
  return { entries, isScript: entries.has("constants.pkl") };
}

/** A small entry of it, whole. */
export async function readTorchEntry(file: FileHandle, entry: ZipEntry, path: string): Promise<Bytes> {
  if (entry.size > MAX_PICKLE)
    failing(path)(`its ${quote(entry.name)} has ${entry.size} bytes; at most ${MAX_PICKLE} are read`);
  return readBytes(file, await zipDataOffset(file, entry, path), entry.size, path);
}

/** Open a file and read its pickle. Throws `bad-input` when it is unsound or names anything but what weights need. */
export async function openTorchFile(path: string): Promise<TensorFile<StorageView>> {
  const file = await openFile(path);
  try {
    const archive = await readTorchArchive(file, path);
    await refuseHoles(file, archive.entries.values(), path);
    await refusePolyglot(file, path, "archive");
    const { tensors, notes } = await readTensors(file, archive, path);
    const offsets = await findStorages(file, archive, tensors, path);
    return { ...openedFile(path, file, tensors, offsets), notes, isScript: archive.isScript };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function readTensors(file: FileHandle, { entries }: TorchArchive, path: string) {
  const fail = failing(path);
  const order = entries.get("byteorder");
  if (order !== undefined && Buffer.from(await readTorchEntry(file, order, path)).toString() !== "little") {
    fail("its byte order is not little-endian");
  }
  const bytes = await readTorchEntry(file, entries.get("data.pkl") as ZipEntry, path);
  const failPickle: Fail = (reason) => fail(`in its data.pkl, ${reason}`);
  const seen = nothingSeen();
  const { value, end } = parsePickle(bytes, failPickle, { seen });
  const strange = [...seen.names].filter((name) => !isKnownName(name)).map((name) => quote(name.replace(" ", ".")));
  if (strange.length > 0) {
    const shown = strange.slice(0, 5).join(", ") + (strange.length > 5 ? `, ... (${strange.length} in all)` : "");
    throw badInput(
      `${path} is refused: its pickle would import ${shown}, which weights do not need (nothing was run). ` +
        `See: tbar inspect; if you trust it, save its state_dict alone as safetensors`,
    );
  }
  if (end !== bytes.length) failPickle(`${bytes.length - end} bytes follow its end`);
  return tensorsOf(value, failPickle);
}

/** Where each storage that a tensor uses begins in the file. */
async function findStorages(
  file: FileHandle,
  { entries }: TorchArchive,
  tensors: ReadonlyMap<string, StorageView>,
  path: string,
): Promise<Map<string, number>> {
  const fail = failing(path);
  const offsets = new Map<string, number>();
  let [bytes, spans] = [0, 0];
  for (const [name, view] of tensors) {
    const { key, values, dtype, shape } = view;
    const entry = entries.get(`data/${key}`) ?? fail(`tensor ${quote(name)} has no data/${key}`);
    const size = byteLength(dtype, [values]);
    if (size !== entry.size) fail(`tensor ${quote(name)} needs data/${key} to have ${size} bytes, not ${entry.size}`);
    if (!offsets.has(key)) offsets.set(key, await zipDataOffset(file, entry, path));
    bytes += byteLength(dtype, shape) ?? 0;
    if (!isContiguous(view)) spans += (spanOf(view) * DTYPE_BITS[dtype]) / 8;
  }
  const { size } = await file.stat();
  if (spans > 4 * size)
    fail(`its tensors are spread so far over their storages that ${spans} bytes would be read of ${size}`);
  if (bytes > 4 * size) fail(`its tensors share storages so often that ${size} bytes would become ${bytes}`);
  return offsets;
}

function openedFile(
  path: string,
  file: FileHandle,
  tensors: ReadonlyMap<string, StorageView>,
  offsets: ReadonlyMap<string, number>,
): TensorFile<StorageView> {
  /** The last one that does not lie row by row, whole: piece by piece it would be gathered anew for each. */
  let last: { readonly name: string; readonly bytes: Bytes } | undefined;
  const bytesOf = async (name: string, begin: number, end: number, into?: Bytes): Promise<Bytes> => {
    const view = entryOf({ path, tensors }, name);
    const item = DTYPE_BITS[view.dtype] / 8;
    const start = (offsets.get(view.key) as number) + view.offset * item;
    if (isContiguous(view)) return readBytes(file, start + begin, end - begin, path, into);
    if (last?.name !== name) {
      last = undefined; // its memory first
      last = { name, bytes: gather(view, await readBytes(file, start, spanOf(view) * item, path), item) };
    }
    return last.bytes.slice(begin, end);
  };
  return withValues({
    path,
    files: [path],
    metadata: new Map(),
    tensors,
    readRaw: (name) => {
      const { dtype, shape } = entryOf({ path, tensors }, name);
      return bytesOf(name, 0, byteLength(dtype, shape) as number);
    },
    readRange: bytesOf,
    close: () => file.close(),
  });
}

/** Values from its first to its last. */
const spanOf = ({ shape, strides }: StorageView): number =>
  shape.includes(0) ? 0 : shape.reduce((at, size, i) => at + (size - 1) * strides[i], 1);

/** Do its values lie side by side, in row-major order? */
function isContiguous({ shape, strides }: StorageView): boolean {
  if (shape.includes(0)) return true;
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1 && strides[i] !== step) return false;
    step *= shape[i];
  }
  return true;
}

/** Its values in row-major order, from the bytes between its first and its last. */
function gather({ shape, strides }: StorageView, span: Bytes, item: number): Bytes {
  const count = shape.reduce((product, size) => product * size, 1);
  const out = new Uint8Array(count * item);
  const index = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < out.length; to += item) {
    for (let b = 0; b < item; b++) out[to + b] = span[from * item + b];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis];
      if (++index[axis] < shape[axis]) break;
      from -= index[axis] * strides[axis];
      index[axis] = 0;
    }
  }
  return out;
}
