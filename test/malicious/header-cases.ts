/** Headers, configs and indices that ask for too much. */
import { bytes } from "../torch.ts";
import { type Case, index, safetensors, u8 } from "./forge.ts";

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
    [
      "10,000 dimensions",
      safetensors(`{${u8("a", 0, 1, `[${Array(10_000).fill(1)}]`)}}`, 1),
      /there are more than 64 sizes/,
    ],
    ["numbers as others write them", safetensors(`{${u8("a", 0, 1, "[1e0]")}}`, 1), /should be a non-negative integer/],
    ["no UTF-8", safetensors(bytes('{"', 0xff, '":0}')), /its header is not UTF-8/],
    ["a string without an end", safetensors(`{"${"a".repeat(3_000_000)}`), /does not end/],
    ["backslashes without an end", safetensors(`{"${'\\"'.repeat(1_000_000)}`), /does not end/],
  ] as const
).map(([what, files, refused]) => ({ kind: "header bombs", what, files, refused }));

const modelWith = (config: string) => ({
  "model/config.json": bytes(config),
  "model/model.safetensors": safetensors(`{${u8("vision_model.a", 0, 0)},${u8("text_model.a", 0, 0)}}`)[
    "a.safetensors"
  ],
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
      /has the key "__proto__"/,
    ],
    ["a shard with a tensor more", index({ b: "a.safetensors" }), /does not say that a.safetensors holds "a"/],
  ] as const
).map(([what, files, refused]) => ({ kind: "JSON bombs", what, files, refused }));

export const headerCases: readonly Case[] = [...headers, ...json, ...shards];
