/** Pickles that would run code, or fill memory. */
import { bytes, pickle, push, type Storage, tensorOpcodes, torchFile } from "../torch.ts";
import { type Case, four, safetensors, storages, u8, x } from "./forge.ts";

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

export const pickleCases: readonly Case[] = [...calls, ...harmless, ...pollution, ...bombs];
