/** Seeded ways to spoil a file: bits, lengths, pieces, words of the formats, and JSON as a tree. Input number i is always the same. */
import { type Random, random } from "../../src/tensor/random.ts";
import type { Seed } from "./seeds.ts";

type Parts = Readonly<Record<string, Uint8Array>>;

const NUMBERS = [0, 1, 0x7f, 0x80, 0xff];
/** Opcodes, brackets, quotes, names and ends of lines, in which parsers trip. */
const TOKENS = ["(", ")", "]", "}", "R", "b", "o", "i", "c", "q\0", "h\0", "0", "2", "t", "u", "e", "s", "a", ".", "Q", "P\n", '"', ",", "{", "[", ":", "\\", "-1", "1e9", "null", "__proto__", "constructor", "\x81", "\x92", "\x93", "\x94", "\x85", "\x87", "\x8c\x01a", "J\xff\xff\xff\x7f", "\n", "\r\n", "\t", "\0", " ", "\ufeff", "../", "/dev/zero", "{}", "NaN", "9007199254740993", "\u001b[2J", "\u202e", "PK\x03\x04", "IHDR", "IDAT", "\xff\xd8\xff\xc4", "RIFF", "ustar", "PAR1", "\x1f\x8b\x08", "version https://git-lfs.github.com/spec/v1\n"]; // biome-ignore format: a table
const SIZES = [0, 1, 2, 127, 128, 255, 256, 65_535, 65_536, 2 ** 24, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];

export interface Input {
  readonly seed: Seed;
  readonly files: Parts;
}

/** Input `i` of a run: a sound file with one to five spots spoilt, in one of its parts, put together again, or across the whole. */
export function input(sound: readonly Seed[], run: number, i: number): Input {
  const seed = sound[i % sound.length];
  const rng = random("fuzz", run, i);
  const inside = rng.uniform() < 0.7;
  const found: Record<string, Uint8Array> = inside ? { ...seed.parts } : { ...seed.files(seed.parts) };
  const others = sound[rng.int(sound.length)].parts;
  for (let spots = rng.uniform() < 0.5 ? 1 : 2 + rng.int(4); spots > 0; spots--) {
    const name = pick(Object.keys(found), rng);
    found[name] = spoil(Buffer.from(found[name]), rng, Object.values(others));
  }
  return { seed, files: inside ? seed.files(found) : found };
}

function pick<T>(from: readonly T[], rng: Random): T {
  return from[rng.int(from.length)];
}

function spoil(data: Buffer, rng: Random, others: readonly Uint8Array[]): Buffer {
  if (isJson(data) && rng.uniform() < 0.7) return spoilJson(data, rng);
  const near = rng.uniform();
  // headers and directories lie at the ends
  const reach = Math.max(1, near < 0.4 ? Math.min(data.length, 512) : data.length);
  const at = near < 0.2 ? Math.max(0, data.length - 1 - rng.int(reach)) : rng.int(reach);
  const length = 1 + rng.int(16);
  const cut = (insert: Uint8Array, from = at, to = at) =>
    Buffer.concat([data.subarray(0, from), insert, data.subarray(to)]);
  switch (rng.int(11)) {
    case 0:
      if (at < data.length) data[at] ^= 1 << rng.int(8);
      return data;
    case 1:
      if (at < data.length) data[at] = pick(NUMBERS, rng);
      return data;
    case 2:
      return cut(Buffer.from(pick(TOKENS, rng), "latin1"));
    case 3:
      return cut(Buffer.from(pick(TOKENS, rng), "latin1"), at, at + length);
    case 4:
      return cut(Buffer.alloc(0), at, at + length);
    case 5: {
      const from = rng.int(data.length + 1);
      return cut(data.subarray(from, from + 64 * length));
    }
    case 6:
      for (let i = at; i < Math.min(data.length, at + 4); i++) data[i] = pick(NUMBERS, rng);
      return data;
    case 7: {
      const size = pick(SIZES, rng);
      if (at + 4 > data.length) return data;
      if (rng.uniform() < 0.5) data.writeUInt32LE(size, at);
      else data.writeUInt32BE(size, at);
      return data;
    }
    case 8: {
      const other = pick(others, rng);
      const from = rng.int(other.length + 1);
      return cut(other.subarray(from, from + 256 * length));
    }
    case 9: {
      const piece = data.subarray(at, at + length);
      return cut(Buffer.concat(Array(1 + rng.int(300)).fill(piece)));
    }
    default:
      return data.subarray(0, rng.uniform() < 0.3 ? at : data.length - rng.int(Math.min(64, data.length + 1)));
  }
}

const isJson = (data: Buffer) => data.length < 200_000 && (data[0] === 0x7b || data[0] === 0x5b);

/** One value of the tree replaced, removed, renamed, doubled or put somewhere else. */
function spoilJson(data: Buffer, rng: Random): Buffer {
  let tree: unknown;
  try {
    tree = JSON.parse(data.toString("utf8"));
  } catch {
    return data;
  }
  const places: { readonly holder: Record<string, unknown>; readonly key: string }[] = [];
  const collect = (value: unknown) => {
    if (typeof value !== "object" || value === null) return;
    for (const key of Object.keys(value)) {
      if (places.length > 2000) return;
      places.push({ holder: value as Record<string, unknown>, key });
      collect((value as Record<string, unknown>)[key]);
    }
  };
  collect(tree);
  if (places.length === 0) return Buffer.from(JSON.stringify(oddValue(rng)));
  const { holder, key } = pick(places, rng);
  const other = pick(places, rng);
  switch (rng.int(8)) {
    case 0:
      if (Array.isArray(holder)) holder.splice(Number(key), 1);
      else delete holder[key];
      break;
    case 1:
      if (!Array.isArray(holder))
        holder[pick(["", "__proto__x", "constructor", "toString", `${key}x`, key.toUpperCase()], rng)] = holder[key];
      break;
    case 2:
      holder[key] = structuredClone(other.holder[other.key]);
      break;
    case 3:
      holder[key] = Array(rng.int(200)).fill(structuredClone(holder[key]));
      break;
    case 4: {
      const value = holder[key];
      if (typeof value === "number")
        holder[key] = pick([-value, value + 1, value * 2, value / 3, value * 1e6, -1, 0], rng);
      else if (typeof value === "string")
        holder[key] = pick(
          [`${value}${value}`, value.slice(1), value.toUpperCase(), `${value}\u0000`, `../${value}`, "x".repeat(5000)],
          rng,
        );
      else holder[key] = oddValue(rng);
      break;
    }
    default:
      holder[key] = oddValue(rng);
  }
  const text = JSON.stringify(tree, (_, value) => (Object.is(value, -0) ? 0 : value));
  return Buffer.from(rng.uniform() < 0.05 ? text.replace("}", `,"${key}":1}`) : (text ?? "null"));
}

function oddValue(rng: Random): unknown {
  const odd = [null, true, false, -1, 0, 1, 0.5, 3, 7, 1e308, 2 ** 53, 2 ** 31, 1e9, 65_536, -0.1, "", "a", "__proto__", "1", "cat", "../../etc/passwd", "\u001b[31m", "x".repeat(300), [], {}, [[]], [null], ["a"], { a: 1 }, [0, 0, 0], [1, 1, 1], { type: "Sequence" }]; // biome-ignore format: a table
  return structuredClone(pick(odd, rng));
}
