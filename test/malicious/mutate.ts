/** Sound files of every format tbar reads, small, and seeded ways to spoil them. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readCheckpoint } from "../../src/checkpoint/clip-folder.ts";
import { convertCheckpoint } from "../../src/checkpoint/convert.ts";
import { openWeights } from "../../src/checkpoint/open-weights.ts";
import type { Random } from "../../src/tensor/random.ts";
import { writePico } from "../pico.ts";
import { bytes, pickle, push, tensorOpcodes, type ZipEntry, zip } from "../torch.ts";

/** A file, or a folder of them, built anew after its parts were spoilt: so damage reaches what lies behind lengths and checksums. */
export interface Seed {
  readonly what: string;
  readonly parts: Readonly<Record<string, Uint8Array>>;
  /** From the parts, by the names under which they are written; the first is opened. */
  readonly files: (parts: Readonly<Record<string, Uint8Array>>) => Readonly<Record<string, Uint8Array>>;
}

export async function seeds(): Promise<Seed[]> {
  const folder = await mkdtemp(join(tmpdir(), "tbar-seeds-"));
  try {
    await writePico(join(folder, "hf"));
    const pico = await readCheckpoint(join(folder, "hf"));
    await convertCheckpoint(pico, "openai", join(folder, "openai"));
    const hf = await readFile(join(folder, "hf/model.safetensors"));
    const openai = join(folder, "openai/open_clip_model.safetensors");
    const { stateDict, storages } = await opcodesOf(openai);
    const config = (name: string) => readFile(join(folder, name));
    return [
      safetensors("safetensors", hf),
      {
        what: "Hugging Face folder",
        parts: { config: await config("hf/config.json"), images: await config("hf/preprocessor_config.json") },
        files: ({ config, images }) => ({
          "model/config.json": config,
          "model/preprocessor_config.json": images,
          "model/model.safetensors": hf,
        }),
      },
      {
        what: "open_clip folder",
        parts: { config: await config("openai/open_clip_config.json"), weights: await readFile(openai) },
        files: ({ config, weights }) => ({
          "model/open_clip_config.json": config,
          "model/open_clip_model.safetensors": weights,
        }),
      },
      {
        what: "shards",
        parts: { index: bytes(JSON.stringify(indexOf(pico.tensors.keys()))), shard: hf },
        files: ({ index, shard }) => ({ "a.safetensors.index.json": index, "one.safetensors": shard }),
      },
      torch("state dict", pickle(push.dict(stateDict)), storages),
      torch("training checkpoint", pickle(trainingCheckpoint(stateDict)), storages),
      torch("TorchScript", pickle(modulesOf(stateDict)), storages, true),
      { what: "tar", parts: { tar: tarFile() }, files: ({ tar }) => ({ "a.tar": tar }) },
    ];
  } finally {
    await rm(folder, { recursive: true });
  }
}

function indexOf(names: Iterable<string>): object {
  return { metadata: {}, weight_map: Object.fromEntries([...names].map((name) => [name, "one.safetensors"])) };
}

/** Header and values apart, the length put in front again. */
function safetensors(what: string, whole: Buffer): Seed {
  const end = 8 + Number(whole.readBigUInt64LE());
  return {
    what,
    parts: { header: whole.subarray(8, end), values: whole.subarray(end) },
    files: ({ header, values }) => {
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(header.length));
      return { "a.safetensors": Buffer.concat([length, header, values]) };
    },
  };
}

/** The pickle and one storage apart, the zip written anew. */
function torch(what: string, pickled: Buffer, storages: Readonly<Record<string, Uint8Array>>, script = false): Seed {
  const rest: ZipEntry[] = Object.entries(storages).map(([key, data]) => ({ name: `m/data/${key}`, data }));
  if (script) rest.push({ name: "m/constants.pkl", data: pickle(bytes(")")) });
  return {
    what,
    parts: { pickled, order: bytes("little") },
    files: ({ pickled, order }) => {
      const entries = [{ name: "m/data.pkl", data: pickled }, ...rest, { name: "m/byteorder", data: order }];
      return { "a.pt": zip(entries) };
    },
  };
}

async function opcodesOf(path: string) {
  const file = await openWeights(path);
  const stateDict: Record<string, Uint8Array> = {};
  const storages: Record<string, Uint8Array> = {};
  for (const [name, { shape }] of file.tensors) {
    const key = String(Object.keys(storages).length);
    storages[key] = await file.readRaw(name);
    stateDict[name] = tensorOpcodes({ type: "FloatStorage", key, values: storages[key].length / 4 }, shape);
  }
  await file.close();
  return { stateDict, storages };
}

function trainingCheckpoint(stateDict: Readonly<Record<string, Uint8Array>>): Buffer {
  const args = bytes(push.name("argparse", "Namespace"), ")", 0x81, push.dict({ lr: push.text("1e-3") }), "b");
  const modules = Object.entries(stateDict).flatMap(([name, opcodes]) => [push.text(`module.${name}`), opcodes]);
  const ordered = bytes(push.call("collections", "OrderedDict"), "(", ...modules, "u");
  return push.dict({ epoch: push.int(9), args, state_dict: ordered, optimizer: push.dict({}) });
}

/** A module for each part of a name that has parts below it. */
function modulesOf(stateDict: Readonly<Record<string, Uint8Array>>, prefix = ""): Buffer {
  const attributes: Record<string, Uint8Array> = { training: bytes(0x89) };
  for (const [name, opcodes] of Object.entries(stateDict)) {
    if (!name.startsWith(prefix)) continue;
    const [first, ...below] = name.slice(prefix.length).split(".");
    attributes[first] ??= below.length === 0 ? opcodes : modulesOf(stateDict, `${prefix}${first}.`);
  }
  return push.module("__torch__.clip.model", "Module", attributes);
}

function tarFile(): Buffer {
  const entry = (name: string, data: string) => {
    const header = Buffer.alloc(512);
    header.write(name, 0);
    header.write(`${data.length.toString(8).padStart(11, "0")}\0`, 124);
    header.write("        ", 148);
    header.write("0", 156);
    header.write("ustar\0", 257);
    const sum = header.reduce((a, b) => a + b);
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    return Buffer.concat([header, Buffer.from(data.padEnd(512, "\0"))]);
  };
  return Buffer.concat([entry("1.txt", "a cat"), entry("1.cls", "3"), entry("2.txt", "a dog"), Buffer.alloc(1024)]);
}

const NUMBERS = [0, 1, 0x7f, 0x80, 0xff];
/** Opcodes, brackets and quotes, in which parsers trip. */
const TOKENS = ["(", ")", "]", "}", "R", "b", "o", "i", "c", "q\0", "h\0", "0", "2", "t", "u", "e", "s", "a", ".", "Q", "P\n", '"', ",", "{", "[", ":", "\\", "-1", "1e9", "null", "__proto__", "\x81", "\x92", "\x93", "\x94", "\x85", "\x87", "\x8c\x01a", "J\xff\xff\xff\x7f"]; // biome-ignore format: a table

/** A file with one to four spots spoilt: in one of its parts, which is then put together again, or across the whole. */
export function spoilt({ parts, files }: Seed, random: Random): Readonly<Record<string, Uint8Array>> {
  const inside = random.uniform() < 0.6;
  const found: Record<string, Uint8Array> = inside ? { ...parts } : { ...files(parts) };
  for (let spots = 1 + random.int(4); spots > 0; spots--) {
    const names = Object.keys(found);
    const name = names[random.int(names.length)];
    found[name] = spoil(Buffer.from(found[name]), random);
  }
  return inside ? files(found) : found;
}

function spoil(data: Buffer, random: Random): Buffer {
  const near = random.uniform();
  // headers and directories lie at the ends
  const reach = Math.max(1, near < 0.4 ? Math.min(data.length, 512) : data.length);
  const at = near < 0.2 ? Math.max(0, data.length - 1 - random.int(reach)) : random.int(reach);
  const length = 1 + random.int(16);
  const cut = (insert: Uint8Array, from = at, to = at) =>
    Buffer.concat([data.subarray(0, from), insert, data.subarray(to)]);
  switch (random.int(8)) {
    case 0:
      if (at < data.length) data[at] ^= 1 << random.int(8);
      return data;
    case 1:
      if (at < data.length) data[at] = NUMBERS[random.int(NUMBERS.length)];
      return data;
    case 2:
      return cut(Buffer.from(TOKENS[random.int(TOKENS.length)], "latin1"));
    case 3:
      return cut(Buffer.from(TOKENS[random.int(TOKENS.length)], "latin1"), at, at + length);
    case 4:
      return cut(Buffer.alloc(0), at, at + length);
    case 5: {
      const from = random.int(data.length + 1);
      return cut(data.subarray(from, from + 64 * length));
    }
    case 6:
      for (let i = at; i < Math.min(data.length, at + 4); i++) data[i] = NUMBERS[random.int(NUMBERS.length)];
      return data;
    default:
      return data.subarray(0, random.uniform() < 0.3 ? at : data.length - random.int(Math.min(64, data.length + 1)));
  }
}
