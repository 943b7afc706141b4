/** Archives that are not what they say, or would be unpacked elsewhere. */
import { bytes, endRecords, pickle, push, tensorOpcodes, torchFile, type ZipEntry, zip } from "../torch.ts";
import { type Case, four, index, storages, x } from "./forge.ts";

const sound: readonly ZipEntry[] = [
  { name: "m/data.pkl", data: pickle(push.dict({ x })) },
  { name: "m/data/0", data: storages["0"] },
  { name: "m/version", data: bytes("3\n") },
];
const archive = (change: (entries: ZipEntry[]) => readonly ZipEntry[]) => ({
  "a.pt": zip(change(sound.map((entry) => ({ ...entry })))),
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

export const archiveCases: readonly Case[] = [...zips, ...escapes, ...tars];
