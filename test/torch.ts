/** PyTorch archives made by hand, sound and unsound: an assembler for pickles and a writer of stored zips. */
import { crc32 } from "node:zlib";

/** A pickle's bytes from parts: text is taken as ASCII opcodes, numbers as single bytes. */
export function bytes(...parts: readonly (string | number | Uint8Array)[]): Buffer {
  return Buffer.concat(
    parts.map((part) => (typeof part === "number" ? Buffer.from([part]) : Buffer.from(part as Uint8Array))),
  );
}

function uint32(value: number): Buffer {
  const out = Buffer.alloc(4);
  out.writeUInt32LE(value);
  return out;
}

function uint64(value: number): Buffer {
  const out = Buffer.alloc(8);
  out.writeBigUInt64LE(BigInt(value));
  return out;
}

/** The opcodes that push a value, as torch.save writes them (protocol 2). */
export const push = {
  text: (value: string) => bytes("X", uint32(Buffer.byteLength(value)), value),
  int: (value: number) => bytes("J", uint32(value)),
  ints: (values: readonly number[]) => bytes("(", ...values.map(push.int), "t"),
  name: (module: string, name: string) => bytes("c", `${module}\n${name}\n`),
  call: (module: string, name: string, ...args: readonly Uint8Array[]) =>
    bytes(push.name(module, name), "(", ...args, "t", "R"),
  dict: (entries: Readonly<Record<string, Uint8Array>>) =>
    bytes("}(", ...Object.entries(entries).flatMap(([key, value]) => [push.text(key), value]), "u"),
  /** An instance of a class with attributes, as torch.jit.save writes a module. */
  module: (module: string, name: string, attributes: Readonly<Record<string, Uint8Array>>) =>
    bytes(push.name(module, name), ")", 0x81, push.dict(attributes), "b"),
};

export interface Storage {
  readonly type: string;
  readonly key: string;
  readonly values: number;
}

/** A tensor over a storage; strides in values, row-major unless told. */
export function tensorOpcodes(
  { type, key, values }: Storage,
  shape: readonly number[],
  strides = rowMajor(shape),
  offset = 0,
): Buffer {
  const id = bytes("(", push.text("storage"), push.name("torch", type), push.text(key), push.text("cpu"));
  const storage = bytes(id, push.int(values), "tQ");
  const hooks = push.call("collections", "OrderedDict");
  const sizes = [push.ints(shape), push.ints(strides)];
  return push.call("torch._utils", "_rebuild_tensor_v2", storage, push.int(offset), ...sizes, bytes(0x89), hooks);
}

function rowMajor(shape: readonly number[]): number[] {
  return shape.map((_, i) => shape.slice(i + 1).reduce((product, size) => product * size, 1));
}

export const pickle = (value: Uint8Array) => bytes(0x80, 2, value, ".");

export interface ZipEntry {
  readonly name: string;
  readonly data: Uint8Array;
  /** 0 stored (default), 8 deflated: `data` is what lies there, `unpacked` the size it claims. */
  readonly method?: number;
  readonly unpacked?: number;
  readonly flags?: number;
  /** Where the directory says that the header is; elsewhere than it is, in hostile files. */
  readonly headerOffset?: number;
  /** The name and method in the local header, where they differ. */
  readonly localName?: string;
  readonly localMethod?: number;
  /** Sizes and offset in the directory's 64-bit field, as torch writes them beyond 4 GB. */
  readonly wide?: boolean;
}

/** A zip with everything where torch puts it, 64-bit records and all. */
export function zip(entries: readonly ZipEntry[], { zip64 = true } = {}): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const { name, data, method = 0, unpacked = data.length, flags = 0x0808, ...other } of entries) {
    const localName = other.localName ?? name;
    const padding = (64 - ((at + 30 + localName.length + 4) % 64)) % 64;
    const sum = crc32(data);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(flags, 6);
    local.writeUInt16LE(other.localMethod ?? method, 8);
    local.writeUInt16LE(localName.length, 26);
    local.writeUInt16LE(4 + padding, 28);
    const extra = Buffer.alloc(4 + padding, 0x5a);
    extra.write("FB");
    extra.writeUInt16LE(padding, 2);
    const descriptor = bytes("PK\x07\x08", uint32(sum), uint32(data.length), uint32(unpacked));
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50, 0);
    central.writeUInt16LE(flags, 8);
    central.writeUInt16LE(method, 10);
    central.writeUInt32LE(sum, 16);
    central.writeUInt32LE(data.length, 20);
    central.writeUInt32LE(unpacked, 24);
    central.writeUInt16LE(name.length, 28);
    central.writeUInt32LE(other.headerOffset ?? at, 42);
    const wide = other.wide ? bytes(1, 0, 24, 0, uint64(unpacked), uint64(data.length), uint64(at)) : bytes();
    if (other.wide) for (const field of [20, 24, 42]) central.writeUInt32LE(0xffffffff, field);
    central.writeUInt16LE(wide.length, 30);
    directory.push(central, Buffer.from(name, "latin1"), wide);
    const whole = bytes(local, localName, extra, data, descriptor);
    locals.push(whole);
    at += whole.length;
  }
  const listed = Buffer.concat(directory);
  return Buffer.concat([...locals, listed, endRecords(entries.length, listed.length, at, zip64)]);
}

export function endRecords(count: number, length: number, start: number, zip64: boolean): Buffer {
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(count, 8);
  end.writeUInt16LE(count, 10);
  end.writeUInt32LE(length, 12);
  end.writeUInt32LE(start, 16);
  if (!zip64) return end;
  const long = Buffer.alloc(76);
  long.writeUInt32LE(0x06064b50, 0);
  long.writeBigUInt64LE(44n, 4);
  for (const at of [24, 32]) long.writeBigUInt64LE(BigInt(count), at);
  long.writeBigUInt64LE(BigInt(length), 40);
  long.writeBigUInt64LE(BigInt(start), 48);
  long.writeUInt32LE(0x07064b50, 56);
  long.writeBigUInt64LE(BigInt(start + length), 64);
  long.writeUInt32LE(1, 72);
  return Buffer.concat([long, end]);
}

/** An archive of one pickle and the storages it names. */
export function torchFile(
  value: Uint8Array,
  storages: Readonly<Record<string, Uint8Array>> = {},
  script = false,
): Buffer {
  return zip([
    { name: "model/data.pkl", data: value },
    ...Object.entries(storages).map(([key, data]) => ({ name: `model/data/${key}`, data })),
    ...(script ? [{ name: "model/constants.pkl", data: pickle(bytes(")")) }] : []),
    { name: "model/version", data: bytes("3\n") },
    { name: "model/byteorder", data: bytes("little") },
  ]);
}
