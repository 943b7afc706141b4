/** Files made to do harm, by class; what tbar says to each. Most would run code, or fill memory or disk, in a careless reader. */
import {
  bytes,
  endRecords,
  pickle,
  push,
  type Storage,
  tensorOpcodes,
  torchFile,
  type ZipEntry,
  zip,
} from "../torch.ts";

export interface Case {
  readonly kind: string;
  readonly what: string;
  /** By name; the first is what is opened. */
  readonly files: Readonly<Record<string, Uint8Array>>;
  /** What the message says; `read` where there is nothing to refuse, and the names that are read. */
  readonly refused?: RegExp;
  readonly read?: string;
}

const four: Storage = { type: "FloatStorage", key: "0", values: 4 };
const x = tensorOpcodes(four, [4]);
const storages = { "0": new Uint8Array(16) };
const repeat = (part: Uint8Array, times: number) => Buffer.concat(Array(times).fill(part));
const uint32 = (value: number) => bytes(value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24);

/** A sound state dict that also holds what these opcodes leave behind. */
const beside = (opcodes: Uint8Array) => ({ "a.pt": torchFile(pickle(push.dict({ x, y: opcodes })), storages) });
/** A file whose pickle is these bytes. */
const only = (...parts: readonly (string | number | Uint8Array)[]) => ({
  "a.pt": torchFile(bytes(...parts), storages),
});

const calls: readonly Case[] = (
  [
    ["REDUCE", push.call("posix", "system", push.text("id")), /would import "posix.system".*nothing was run/],
    ["REDUCE of Windows' module", push.call("nt", "system", push.text("id")), /"nt.system"/],
    ["REDUCE of eval", push.call("builtins", "eval", push.text("1")), /"builtins.eval"/],
    ["REDUCE of Python 2's exec", push.call("__builtin__", "execfile", push.text("a")), /"__builtin__.execfile"/],
    [
      "REDUCE of getattr, then of what it gave",
      bytes(push.call("builtins", "getattr", push.name("os", "path")), ")R"),
      /"builtins.getattr", "os.path"/,
    ],
    ["REDUCE of partial", push.call("functools", "partial", push.name("os", "system")), /"functools.partial"/],
    [
      "REDUCE of an innocent module's attribute",
      push.call("collections", "_sys.modules"),
      /"collections._sys.modules"/,
    ],
    [
      "REDUCE of torch.load",
      push.call("torch.storage", "_load_from_bytes", push.text("a")),
      /"torch.storage._load_from_bytes"/,
    ],
    ["REDUCE of torch.hub", push.call("torch.hub", "load", push.text("a")), /"torch.hub.load"/],
    [
      "REDUCE of a compiled graph",
      push.call("torch.fx.graph_module", "reduce_graph_module"),
      /"torch.fx.graph_module.reduce/,
    ],
    [
      "REDUCE of numpy's test runner",
      push.call("numpy.testing._private.utils", "runstring"),
      /"numpy.testing._private.utils.runstring"/,
    ],
    ["REDUCE after the memo", bytes(push.name("os", "system"), "q", 1, "0h", 1, ")R"), /"os.system"/],
    ["GLOBAL alone", push.name("webbrowser", "open"), /"webbrowser.open"/],
    [
      "GLOBAL of a known name with a line break more",
      push.name("collections\r", "OrderedDict"),
      /"collections\\r.OrderedDict"/,
    ],
    [
      "GLOBAL of a known name with a letter of another alphabet",
      push.name("collections", "Оrderedдict"),
      /"collections.Оrderedдict"/,
    ],
    ["GLOBAL dressed up as TorchScript", push.name("__torch__.a", "B os.system"), /"__torch__.a.B os.system"/],
    ["STACK_GLOBAL", bytes(push.text("os"), push.text("popen"), 0x93), /"os.popen"/],
    [
      "STACK_GLOBAL of what a call gave",
      bytes(push.call("collections", "OrderedDict"), push.text("x"), 0x93),
      /computes a name to import/,
    ],
    ["INST", bytes("(", push.text("id"), "iposix\nsystem\n"), /"posix.system"/],
    ["OBJ", bytes("(", push.name("posix", "system"), push.text("id"), "o"), /"posix.system"/],
    ["NEWOBJ", bytes(push.name("subprocess", "Popen"), "(", push.text("id"), "t", 0x81), /"subprocess.Popen"/],
    ["NEWOBJ_EX", bytes(push.name("subprocess", "Popen"), ")}", 0x92), /"subprocess.Popen"/],
    [
      "BUILD of a class",
      bytes(push.name("collections", "OrderedDict"), push.dict({ a: push.int(1) }), "b"),
      /sets the state of something that it did not make/,
    ],
    ["BUILD of an object with __setstate__", bytes(push.call("torch.nn", "Module"), "}b"), /"torch.nn.Module"/],
    ["EXT1", bytes(0x82, 1), /"copyreg.extension 1"/],
    ["EXT2", bytes(0x83, 1, 1), /"copyreg.extension 257"/],
    ["EXT4", bytes(0x84, 0, 0, 1, 0), /"copyreg.extension 65536"/],
    ["NEXT_BUFFER", bytes(0x97), /"pickle.buffer"/],
  ] as const
).map(([what, opcodes, refused]) => ({ kind: "calling opcodes", what, files: beside(opcodes), refused }));

/** Calls of what is known go nowhere: they are data. */
const harmless: readonly Case[] = (
  [
    ["READONLY_BUFFER", bytes(push.text("a"), 0x98)],
    ["PERSID of protocol 0", bytes("P../../etc/passwd\n")],
    ["BINPERSID of a path", bytes(push.text("/etc/passwd"), "Q")],
    [
      "BUILD with __class__ and __dict__",
      bytes(push.call("collections", "OrderedDict"), push.dict({ __class__: push.int(1) }), "b"),
    ],
    ["an object that calls itself", bytes(push.call("collections", "OrderedDict"), "q", 9, "h", 9, "R")],
  ] as const
).map(([what, opcodes]) => ({ kind: "calling opcodes", what, files: beside(opcodes), read: "x" }));

const safetensors = (header: string | Uint8Array, data = 0, claimed?: number) => {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(claimed ?? Buffer.byteLength(header as string)));
  return { "a.safetensors": bytes(length, header, new Uint8Array(data)) };
};
const u8 = (name: string, begin: number, end: number, shape = `[${end - begin}]`) =>
  `${JSON.stringify(name)}:{"dtype":"U8","shape":${shape},"data_offsets":[${begin},${end}]}`;

const pollution: readonly Case[] = (
  [
    [
      "a state dict's key",
      { "a.pt": torchFile(pickle(push.dict({ ["__proto__"]: x, constructor: x })), storages) },
      "__proto__ constructor",
    ],
    [
      "a training checkpoint's key",
      {
        "a.pt": torchFile(
          pickle(push.dict({ ["__proto__"]: push.dict({ polluted: x }), state_dict: push.dict({ x }) })),
          storages,
        ),
      },
      "x",
    ],
    [
      "a module's attribute",
      { "a.pt": torchFile(pickle(push.module("__torch__.M", "M", { ["__proto__"]: x })), storages, true) },
      "__proto__",
    ],
    [
      "a state set on an object",
      beside(
        bytes(
          push.call("argparse", "Namespace"),
          push.dict({ ["__proto__"]: push.dict({ polluted: push.int(1) }) }),
          "b",
        ),
      ),
      "x",
    ],
    [
      "a tensor of safetensors",
      safetensors(`{${u8("__proto__", 0, 1)},${u8("hasOwnProperty", 1, 2)}}`, 2),
      "__proto__ hasOwnProperty",
    ],
    ["metadata of safetensors", safetensors(`{"__metadata__":{"__proto__":"polluted"},${u8("a", 0, 1)}}`, 1), "a"],
  ] as const
).map(([what, files, read]) => ({ kind: "__proto__ keys", what, files, read }));

/** Modules that hold the one before twice: 2^40 paths to 40 objects. */
function laughs(base: Record<string, Uint8Array>): Buffer {
  let module: Buffer = bytes(push.module("__torch__.M", "M", base), "q", 0);
  for (let i = 1; i <= 24; i++) {
    module = bytes(
      module,
      "0",
      push.module("__torch__.M", "M", { a: bytes("h", i - 1), b: bytes("h", i - 1) }),
      "q",
      i,
    );
  }
  return module;
}

const bigStorage: Storage = { type: "FloatStorage", key: "0", values: 100_000 };
const bigSharing = Object.fromEntries(
  Array.from({ length: 300 }, (_, i) => [`t${i}`, tensorOpcodes(bigStorage, [100_000])]),
);

const bombs: readonly Case[] = (
  [
    ["a string of 4 GB", only("X", 255, 255, 255, 255, "a."), /it wants 4294967295 bytes at 5 and 2 are left/],
    ["bytes of 2^63", only(0x8e, repeat(bytes(0xff), 8), "."), /it wants 1844674407370955\d+ bytes/],
    [
      "an integer of 4 MB",
      only(0x8b, uint32(2 ** 22 - 20), new Uint8Array(2 ** 22 - 20), "."),
      /an integer of 4194284 bytes/,
    ],
    ["an integer of 1,000 bytes", only(0x8b, uint32(1000), new Uint8Array(1000), "."), /an integer of 1000 bytes/],
    ["a decimal of a million digits", only("I", "9".repeat(1_000_000), "\n."), /the line at 1 does not end/],
    ["a memo index of 2^32 - 1", only("]r", 255, 255, 255, 255, "."), /it holds no dict/],
    ["a memo index that was never set", only("j", 9, 9, 9, 9, "."), /recalls 151587081, which it did not memorize/],
    ["a million marks", only(repeat(bytes("("), 1_000_000), "."), /more than 200000 opcodes/],
    ["100,000 dicts", only(repeat(bytes("}"), 100_000), "."), /more than 50000 dicts/],
    [
      "90,000 lists in each other",
      only(repeat(bytes("]"), 90_000), repeat(bytes("a"), 89_999), "."),
      /it holds no dict/,
    ],
    ["a list in itself", only("]q", 0, "h", 0, "a."), /it holds no dict/],
    ["a list doubled 30 times", only("]q", 0, repeat(bytes("(h", 0, "h", 0, "e"), 30), "."), /it holds no dict/],
    ["4 MiB of pickle", only(new Uint8Array(2 ** 22 + 1)), /at most 4194304 are read/],
    [
      "modules with 2^24 paths to a tensor",
      { "a.pt": torchFile(pickle(laughs({ x })), storages, true) },
      /more than 20000 tensors/,
    ],
    [
      "modules with 2^24 paths to nothing",
      { "a.pt": torchFile(pickle(laughs({})), storages, true) },
      /its modules have too many attributes/,
    ],
    [
      "a module in itself",
      {
        "a.pt": torchFile(
          pickle(bytes(push.name("__torch__.M", "M"), ")", 0x81, "q", 9, "}(", push.text("a"), "h", 9, "ub")),
          storages,
          true,
        ),
      },
      /nest more than 32 deep/,
    ],
    [
      "a tensor of 2^60 values",
      { "a.pt": torchFile(pickle(push.dict({ x: tensorOpcodes(four, [2 ** 30, 2 ** 30], [0, 0]) })), storages) },
      /has a?\s?.*over 4 values/,
    ],
    [
      "a value repeated a billion times",
      { "a.pt": torchFile(pickle(push.dict({ x: tensorOpcodes(four, [10 ** 9], [0]) })), storages) },
      /has the shape \[1000000000\] over 4 values/,
    ],
    [
      "strides that leave the storage",
      { "a.pt": torchFile(pickle(push.dict({ x: tensorOpcodes(four, [2], [9]) })), storages) },
      /reaches value 9 of a storage of 4/,
    ],
    [
      "an offset that leaves the storage",
      { "a.pt": torchFile(pickle(push.dict({ x: tensorOpcodes(four, [4], [1], 1) })), storages) },
      /reaches value 4 of a storage of 4/,
    ],
    [
      "a negative offset",
      { "a.pt": torchFile(pickle(push.dict({ x: tensorOpcodes(four, [4], [1], 0xffffffff) })), storages) },
      /has odd sizes/,
    ],
    [
      "300 tensors of 400 kB in one storage",
      { "a.pt": torchFile(pickle(push.dict(bigSharing)), { "0": new Uint8Array(400_000) }) },
      /share storages so often/,
    ],
    ["a state dict of text", only(push.dict({ a: push.text("b") }), "."), /it holds "a"; a state dict has tensors/],
  ] as const
).map(([what, files, refused]) => ({ kind: "memo and length bombs", what, files, refused }));

const sound: readonly ZipEntry[] = [
  { name: "m/data.pkl", data: pickle(push.dict({ x })) },
  { name: "m/data/0", data: storages["0"] },
  { name: "m/version", data: bytes("3\n") },
];
const archive = (change: (entries: ZipEntry[]) => readonly ZipEntry[], options?: { zip64: boolean }) => ({
  "a.pt": zip(change(sound.map((entry) => ({ ...entry }))), options),
});
const soundZip = zip(sound, { zip64: false });
const soundDirectory = soundZip.readUInt32LE(soundZip.length - 6);
/** The sound archive with its end record replaced. */
const ending = (end: Uint8Array) => ({ "a.pt": bytes(soundZip.subarray(0, soundZip.length - 22), end) });
const changed = (at: number, value: number) => {
  const copy = Buffer.from(soundZip);
  copy.writeUInt32LE(value, soundDirectory + at);
  return { "a.pt": copy };
};

const zips: readonly Case[] = (
  [
    [
      "two entries on the same bytes",
      archive(([a, b, c]) => [a, { ...b, headerOffset: 0 }, c]),
      /overlaps what follows it/,
    ],
    [
      "an entry inside of another",
      archive(([a, b, c]) => [a, b, { ...c, headerOffset: 40 }]),
      /overlaps what follows it/,
    ],
    [
      "an entry that reaches into the directory",
      archive(([a, b, c]) => [a, b, { ...c, data: c.data, headerOffset: soundDirectory - 8 }]),
      /overlaps what follows it/,
    ],
    [
      "a header beyond the end",
      archive(([a, b, c]) => [a, b, { ...c, headerOffset: 0x7fffffff }]),
      /overlaps what follows it/,
    ],
    [
      "a deflated storage",
      archive(([a, b, c]) => [a, { ...b, method: 8, unpacked: 2 ** 31 }, c]),
      /"data\/0" is compressed, which torch never does/,
    ],
    ["a deflated pickle", archive(([a, b, c]) => [{ ...a, method: 8 }, b, c]), /"data.pkl" is compressed/],
    ["an entry of an unknown method", archive(([a, b, c]) => [a, { ...b, method: 99 }, c]), /"data\/0" is compressed/],
    [
      "a stored entry of two sizes",
      archive(([a, b, c]) => [a, { ...b, unpacked: 2 ** 31 }, c]),
      /is stored, but with two sizes/,
    ],
    ["an encrypted entry", archive(([a, b, c]) => [a, { ...b, flags: 1 }, c]), /is encrypted or patched/],
    [
      "the same name twice",
      archive(([a, b, c]) => [a, b, { ...c, name: "m/data.pkl" }]),
      /has two entries "m\/data.pkl"/,
    ],
    [
      "another name in front of the data",
      archive(([a, b, c]) => [{ ...a, localName: "m/other.p" }, b, c]),
      /its directory and its entry "m\/data.pkl" disagree/,
    ],
    ["another method in front of the data", archive(([a, b, c]) => [{ ...a, localMethod: 8 }, b, c]), /disagree/],
    [
      "a name of another length in front of the data",
      archive(([a, b, c]) => [{ ...a, localName: "m/data.pklx" }, b, c]),
      /disagree/,
    ],
    ["something appended", { "a.pt": bytes(soundZip, "#!/bin/sh") }, /something was appended/],
    ["a comment", ending(bytes(endRecords(3, 1, 1, false).subarray(0, 20), 2, 0, "ok")), /without a comment/],
    ["no end", { "a.pt": soundZip.subarray(0, soundZip.length - 30) }, /does not end as a zip/],
    [
      "20,001 entries",
      ending(endRecords(20_001, soundZip.length - 22 - soundDirectory, soundDirectory, false)),
      /20001 entries; at most 20000/,
    ],
    [
      "a directory of 4 GB",
      ending(endRecords(3, 0xfffffff0, soundDirectory, false)),
      /directory has 4294967280 bytes; at most/,
    ],
    [
      "a directory elsewhere",
      ending(endRecords(3, soundZip.length - 22 - soundDirectory, 4, false)),
      /does not end where the end record begins/,
    ],
    [
      "more entries than the directory has",
      ending(endRecords(4, soundZip.length - 22 - soundDirectory, soundDirectory, false)),
      /breaks off at entry 3/,
    ],
    [
      "fewer entries than the directory has",
      ending(endRecords(2, soundZip.length - 22 - soundDirectory, soundDirectory, false)),
      /directory has \d+ bytes too many/,
    ],
    ["two end records that disagree", { "a.pt": endsTwice() }, /two end records disagree about the count/],
    ["a size of 2^64 - 1", changed(24, 0xffffffff), /lacks its 64-bit sizes/],
    ["a name of 64 KiB", changed(28, 0xffff), /breaks off at entry 0/],
    ["no data.pkl", archive(([, b, c]) => [b, c]), /not one folder with a data.pkl/],
    ["two folders", archive(([a, b, c]) => [a, { ...b, name: "n/data/0" }, c]), /not one folder with a data.pkl/],
    ["no storage", archive(([a, , c]) => [a, c]), /tensor "x" has no data\/0/],
    [
      "a storage too short",
      archive(([a, b, c]) => [a, { ...b, data: new Uint8Array(15) }, c]),
      /needs data\/0 to have 16 bytes, not 15/,
    ],
    [
      "the other byte order",
      archive((entries) => [...entries, { name: "m/byteorder", data: bytes("big") }]),
      /not little-endian/,
    ],
    [
      "a zip of something else",
      { "a.pt": zip([{ name: "a.txt", data: bytes("hello") }]) },
      /not one folder with a data.pkl/,
    ],
  ] as const
).map(([what, files, refused]) => ({ kind: "zip entries", what, files, refused }));

function endsTwice(): Buffer {
  const whole = zip(sound);
  whole.writeUInt16LE(2, whole.length - 22 + 10);
  whole.writeUInt16LE(2, whole.length - 22 + 8);
  return whole;
}

const index = (weight_map: object) => ({
  "a.safetensors.index.json": bytes(JSON.stringify({ weight_map })),
  ...safetensors(`{${u8("a", 0, 1)}}`, 1),
});
const named = (name: string) => archive(([a, b, c]) => [a, { ...b, name }, c]);

const escapes: readonly Case[] = (
  [
    ["up", named("m/../../../etc/cron.d/x"), /a name that torch does not write/],
    ["to the root", named("/etc/passwd"), /a name that torch does not write/],
    ["to a drive", named("m/C:evil"), /a name that torch does not write/],
    ["with backslashes", named("m\\..\\..\\x"), /a name that torch does not write/],
    ["with a NUL", named("m/data/0\0.txt"), /a name that torch does not write/],
    ["with nothing between slashes", named("m//x"), /a name that torch does not write/],
    ["with an escape sequence", named("m/\u001b[2J"), /a name that torch does not write/],
    [
      "by a storage's key",
      {
        "a.pt": torchFile(pickle(push.dict({ x: tensorOpcodes({ ...four, key: "../../etc/passwd" }, [4]) })), storages),
      },
      /tensor "x" has no storage/,
    ],
    ["by a shard's name, up", index({ a: "../a.safetensors" }), /weights must lie beside their index/],
    ["by a shard's name, to the root", index({ a: "/etc/passwd" }), /weights must lie beside their index/],
    ["by a shard's name, into a folder", index({ a: "x/a.safetensors" }), /weights must lie beside their index/],
    [
      "by a shard's name, to the index itself",
      index({ a: "a.safetensors.index.json" }),
      /weights must lie beside their index/,
    ],
    [
      "by a tensor that poses as metadata",
      { "a.pt": torchFile(pickle(push.dict({ __metadata__: x })), storages) },
      /a tensor with the name "__metadata__"/,
    ],
  ] as const
).map(([what, files, refused]) => ({ kind: "path-escaping names", what, files, refused }));

const headers: readonly Case[] = (
  [
    [
      "a length of 2^63",
      { "a.safetensors": bytes(0, 0, 0, 0, 0, 0, 0, 0x80, "{}") },
      /a header of 9223372036854775808 bytes/,
    ],
    ["a length beyond the file", safetensors("{}", 0, 50), /a header of 50 bytes in a file of 10/],
    ["a length above the limit", safetensors("{", 0, 100_000_001), /a header of 100000001 bytes/],
    ["5 million brackets", safetensors(`{"a":${"[".repeat(5_000_000)}`), /should be \{, not "\[\[\[/],
    [
      "100,000 tensors",
      safetensors(`{${Array.from({ length: 100_000 }, (_, i) => u8(`t${i}`, 0, 1)).join(",")}}`, 1),
      /more than 20000 tensors/,
    ],
    ["the same tensor twice", safetensors(`{${u8("a", 0, 1)},${u8("a", 1, 2)}}`, 2), /has "a" twice/],
    [
      "two tensors on the same bytes",
      safetensors(`{${u8("a", 0, 2)},${u8("b", 1, 3)}}`, 3),
      /overlaps the one before it/,
    ],
    ["a hole", safetensors(`{${u8("a", 0, 1)},${u8("b", 2, 3)}}`, 3), /there is a hole before tensor "b"/],
    ["bytes of no tensor", safetensors(`{${u8("a", 0, 1)}}`, 9), /8 bytes at its end belong to no tensor/],
    ["a shape that overflows", safetensors(`{${u8("a", 0, 0, "[4294967296,4294967296,0]")}}`), /a shape too large/],
    ["10,000 dimensions", safetensors(`{${u8("a", 0, 1, `[${Array(10_000).fill(1)}]`)}}`, 1), /has 10000 dimensions/],
    ["numbers as others write them", safetensors(`{${u8("a", 0, 1, "[1e0]")}}`, 1), /should be a non-negative integer/],
    ["no UTF-8", safetensors(bytes('{"', 0xff, '":0}')), /its header is not UTF-8/],
    ["a string without an end", safetensors(`{"${"a".repeat(3_000_000)}`), /does not end/],
    ["backslashes without an end", safetensors(`{"${'\\"'.repeat(1_000_000)}`), /does not end/],
  ] as const
).map(([what, files, refused]) => ({ kind: "header bombs", what, files, refused }));

const modelWith = (config: string) => ({
  "model/config.json": bytes(config),
  "model/model.safetensors": safetensors(`{${u8("vision_model.a", 0, 0)}}`)["a.safetensors"],
});

const json: readonly Case[] = (
  [
    ["2 million brackets as config", { model: modelWith("[".repeat(2_000_000)) }, /nested more than 64 deep/],
    [
      "300,000 objects in each other as config",
      { model: modelWith('{"a":'.repeat(300_000)) },
      /nested more than 64 deep/,
    ],
  ] as const
).map(([what, { model }, refused]) => ({ kind: "JSON bombs", what, files: model, refused }));

const shards: readonly Case[] = (
  [
    ["an index that is a list", { "a.index.json": bytes('{"weight_map":[1]}') }, /weight_map/],
    ["an index of 3 MiB", { "a.index.json": Buffer.alloc(3 * 2 ** 20, 32) }, /at most 2097152 are read/],
    [
      "an index of 300 files",
      index(Object.fromEntries(Array.from({ length: 300 }, (_, i) => [i, `${i}.bin`]))),
      /names 300 files; at most 256/,
    ],
    [
      "an index with __proto__",
      { ...index({}), "a.safetensors.index.json": bytes('{"weight_map":{"__proto__":"a.safetensors"}}') },
      /does not say that a.safetensors holds "a"/,
    ],
    ["a shard with a tensor more", index({ b: "a.safetensors" }), /does not say that a.safetensors holds "a"/],
  ] as const
).map(([what, files, refused]) => ({ kind: "JSON bombs", what, files, refused }));

/** One entry of a tar archive, its checksum right unless told. */
function tarEntry(name: string, type: string, { size = 0, link = "", sum = 0 } = {}): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
  header.write("        ", 148);
  header.write(type, 156);
  header.write(link, 157);
  header.write("ustar\0", 257);
  const total = header.reduce((a, b) => a + b, sum);
  header.write(`${total.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}
const tar = (...parts: readonly Uint8Array[]) => ({ "a.tar": bytes(...parts, new Uint8Array(1024)) });

const tars: readonly Case[] = (
  [
    [
      "a symbolic link",
      tar(tarEntry("a.jpg", "2", { link: "/etc/passwd" })),
      /"a.jpg" is a symbolic link; only regular files/,
    ],
    ["a hard link", tar(tarEntry("a.jpg", "1", { link: "../../x" })), /is a hard link/],
    ["a link with a long target", tar(tarEntry("a", "K")), /is a link with a long target/],
    ["a device", tar(tarEntry("a.jpg", "3")), /is a device/],
    ["a pipe", tar(tarEntry("a.jpg", "6")), /is a pipe/],
    ["a name that leads up", tar(tarEntry("../../x.jpg", "0")), /leads out of the archive/],
    ["a name that leads to the root", tar(tarEntry("/etc/x.jpg", "0")), /leads out of the archive/],
    ["a size beyond the archive", tar(tarEntry("a.jpg", "0", { size: 2 ** 32 })), /an entry of 4294967296 bytes where/],
    [
      "a long name of 16 MB",
      tar(tarEntry("a", "L", { size: 2 ** 24 }), new Uint8Array(2 ** 24)),
      /an extended header of 16777216 bytes/,
    ],
    ["a wrong checksum", tar(tarEntry("a.jpg", "0"), tarEntry("b.jpg", "0", { sum: 1 })), /checksum is wrong/],
  ] as const
).map(([what, files, refused]) => ({ kind: "links and names in tar", what, files, refused }));

export const cases: readonly Case[] = [
  ...calls,
  ...harmless,
  ...pollution,
  ...bombs,
  ...zips,
  ...escapes,
  ...headers,
  ...json,
  ...shards,
  ...tars,
];
