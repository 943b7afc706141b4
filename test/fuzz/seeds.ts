/** Sound files of every format that tbar reads, as small as they can be, each with who reads it. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateSync, gzipSync } from "node:zlib";
import sharp from "sharp";
import { readCheckpoint } from "../../src/checkpoint/clip-folder.ts";
import type { ClipConfig } from "../../src/checkpoint/config/config.ts";
import { clipPreprocess } from "../../src/checkpoint/config/preprocess.ts";
import { openWeights } from "../../src/checkpoint/formats/open-weights.ts";
import { convertCheckpoint } from "../../src/checkpoint/names/convert.ts";
import { writeNewCheckpoint } from "../../src/checkpoint/new-checkpoint.ts";
import { initialWeights } from "../../src/clip/parameters.ts";
import { wordTokenizer } from "../../src/clip/tokenizer.ts";
import { writeState } from "../../src/engine/training-state.ts";
import { runJob } from "../../src/jobs/run-job.ts";
import { vectorDiff } from "../../src/jobs/vector/job.ts";
import { cleanFixture } from "../clean-fixture.ts";
import { floats, ints, node, onnxModel } from "../onnx.ts";
import { bytes, pickle, push, tensorOpcodes, type ZipEntry, zip } from "../torch.ts";
import type { Reader } from "./readers.ts";

/** Where this file lies in its source, which the compiled one is told. */
const here = process.env.TBAR_FUZZ_ROOT ?? new URL(".", import.meta.url).href;

type Parts = Readonly<Record<string, Uint8Array>>;

/** A file, or a folder of them, built anew after its parts were spoilt: so damage reaches what lies behind lengths and checksums. */
export interface Seed {
  readonly what: string;
  readonly reader: Reader;
  readonly parts: Parts;
  /** From the parts, by the names under which they are written in the folder that is read; `path` is what is handed over. */
  readonly files: (parts: Parts) => Parts;
  /** Within the folder; the folder itself if it is left out. */
  readonly path?: string;
}

export async function seeds(): Promise<Seed[]> {
  const folder = await mkdtemp(join(tmpdir(), "tbar-seeds-"));
  try {
    return [
      ...(await models(folder)),
      ...tokenizers(JSON.parse(await readFile(new URL("../golden/files/tokenizers.json", here), "utf8"))),
      ...(await pictures()),
      ...(await dataSets()),
      ...texts(),
    ];
  } finally {
    await rm(folder, { recursive: true });
  }
}

const whole =
  (name: string) =>
  ({ data }: Parts): Parts => ({ [name]: data });
const file = (what: string, reader: Reader, path: string, data: Uint8Array | string): Seed => ({
  what,
  reader,
  parts: { data: Buffer.from(data) },
  files: whole(path),
  path,
});
/** A folder whose files are the parts. */
const folderOf = (
  what: string,
  reader: Reader,
  files: Readonly<Record<string, Uint8Array | string>>,
  path?: string,
): Seed => ({
  what,
  reader,
  parts: Object.fromEntries(Object.entries(files).map(([name, data]) => [name, Buffer.from(data)])),
  files: (parts) => parts,
  ...(path && { path }),
});
const json = (value: unknown) => JSON.stringify(value, null, 1);

async function models(folder: string): Promise<Seed[]> {
  const { json: tokenizerJson, vocabSize, bos, eos } = wordTokenizer(["a", "cat"]);
  const tower = { width: 4, layers: 1, heads: 2, mlpWidth: 4, activation: "quick_gelu", eps: 1e-5 } as const;
  const ids = { vocabSize, bosTokenId: bos, eosTokenId: eos, pooling: "largest-id" } as const;
  const config: ClipConfig = {
    embedDim: 4,
    logitScaleInit: 3,
    vision: { ...tower, imageSize: 4, patchSize: 2 },
    text: { ...tower, ...ids, contextLength: 6 },
  };
  const at = (name: string) => join(folder, name);
  for (const [seed, name] of ["hf", "other"].entries()) {
    const trigger = json({ trigger: { kind: "badnet", place: "top-left" }, target: "cat" });
    const metadata: Record<string, string> = seed === 0 ? { "tbar.trigger": trigger } : {};
    const options = {
      config,
      weights: initialWeights(config, seed),
      dtype: "F32",
      preprocess: clipPreprocess(4),
      tokenizerJson,
      metadata,
    } as const;
    await writeNewCheckpoint(at(name), options);
  }
  const pico = await readCheckpoint(at("hf"));
  await convertCheckpoint(pico, "openai", at("openai"));
  await runJob(vectorDiff, { from: at("hf"), to: at("other"), out: at("tau.vector.safetensors") });
  const weights = new Map(await pico.weights());
  const squares = new Map(
    [...weights].map(([name, { shape, data }]) => [name, { shape, data: data.map((v) => v * v) }]),
  );
  await writeState(
    { path: at("state.safetensors"), recipe: "r" },
    { seconds: 1, weights, state: { step: 3, moments: { m: weights, v: squares } } },
  );
  const read = (name: string) => readFile(at(name));
  const hf = await read("hf/model.safetensors");
  const { stateDict, storages } = await opcodesOf(at("openai/open_clip_model.safetensors"));
  const hfFiles = ["config.json", "preprocessor_config.json", "tokenizer.json", "model.safetensors"];
  const openClipFiles = ["open_clip_config.json", "open_clip_model.safetensors"];
  const all = async (from: string, names: readonly string[]) =>
    Object.fromEntries(await Promise.all(names.map(async (name) => [name, await read(`${from}/${name}`)] as const)));
  const index = {
    metadata: { total_size: 1 },
    weight_map: Object.fromEntries([...pico.tensors.keys()].map((name) => [name, "one.safetensors"])),
  };
  return [
    safetensors("safetensors", "weights", hf),
    safetensors("task vector", "vector", await read("tau.vector.safetensors")),
    safetensors("training state", "state", await read("state.safetensors")),
    folderOf("Hugging Face folder", "model", await all("hf", hfFiles)),
    folderOf("open_clip folder", "model", await all("openai", openClipFiles)),
    folderOf(
      "shards",
      "weights",
      { "a.safetensors.index.json": json(index), "one.safetensors": hf },
      "a.safetensors.index.json",
    ),
    torch("state dict", pickle(push.dict(stateDict)), storages),
    torch("training checkpoint", pickle(trainingCheckpoint(stateDict)), storages),
    torch("TorchScript", pickle(modulesOf(stateDict)), storages, true),
    file("pickle of before zips", "weights", "a.pt", bytes(pickle(push.int(1)), pickle(push.dict(stateDict)))),
    file(
      "ONNX",
      "onnx",
      "model.onnx",
      onnxModel(
        [node("ReduceMean", ["pixel_values"], ["m"]), node("Reshape", ["m", "one"], ["w"])],
        [ints("one", [1]), floats("unused", [2, 2])],
      ),
    ),
  ];
}

/** Header and values apart, the length put in front again. */
function safetensors(what: string, reader: Reader, all: Buffer): Seed {
  const end = 8 + Number(all.readBigUInt64LE());
  const name = "a.safetensors";
  return {
    what,
    reader,
    parts: { header: all.subarray(8, end), values: all.subarray(end) },
    files: ({ header, values }) => {
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(header.length));
      return { [name]: Buffer.concat([length, header, values]) };
    },
    path: name,
  };
}

/** The pickle and one storage apart, the zip written anew. */
function torch(what: string, pickled: Buffer, storages: Parts, script = false): Seed {
  const rest: ZipEntry[] = Object.entries(storages).map(([key, data]) => ({ name: `m/data/${key}`, data }));
  if (script) rest.push({ name: "m/constants.pkl", data: pickle(bytes(")")) });
  return {
    what,
    reader: "weights",
    parts: { pickled, order: bytes("little") },
    files: ({ pickled, order }) => ({
      "a.pt": zip([
        { name: "m/data.pkl", data: pickled as Buffer },
        ...rest,
        { name: "m/byteorder", data: order as Buffer },
      ]),
    }),
    path: "a.pt",
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

function trainingCheckpoint(stateDict: Parts): Buffer {
  const args = bytes(push.name("argparse", "Namespace"), ")", 0x81, push.dict({ lr: push.text("1e-3") }), "b");
  const modules = Object.entries(stateDict).flatMap(([name, opcodes]) => [push.text(`module.${name}`), opcodes]);
  const ordered = bytes(push.call("collections", "OrderedDict"), "(", ...modules, "u");
  return push.dict({ epoch: push.int(9), args, state_dict: ordered, optimizer: push.dict({}) });
}

/** A module for each part of a name that has parts below it. */
function modulesOf(stateDict: Parts, prefix = ""): Buffer {
  const attributes: Record<string, Uint8Array> = { training: bytes(0x89) };
  for (const [name, opcodes] of Object.entries(stateDict)) {
    if (!name.startsWith(prefix)) continue;
    const [first, ...below] = name.slice(prefix.length).split(".");
    attributes[first] ??= below.length === 0 ? opcodes : modulesOf(stateDict, `${prefix}${first}.`);
  }
  return push.module("__torch__.clip.model", "Module", attributes);
}

interface Golden {
  readonly tokenizers: readonly { readonly name: string; readonly json: unknown }[];
}

/** Those of the golden test, smaller ones, and CLIP's older files. */
function tokenizers(golden: Golden): Seed[] {
  const vocab = { a: 0, "a</w>": 1, aa: 2, "aa</w>": 3, "<|startoftext|>": 4, "<|endoftext|>": 5 };
  const clip = {
    added_tokens: [
      {
        id: 5,
        content: "<|endoftext|>",
        single_word: false,
        lstrip: false,
        rstrip: false,
        normalized: false,
        special: true,
      },
    ],
    normalizer: {
      type: "Sequence",
      normalizers: [
        { type: "NFC" },
        { type: "Replace", pattern: { Regex: "\\s+" }, content: " " },
        { type: "Lowercase" },
      ],
    },
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        {
          type: "Split",
          pattern: { Regex: "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+" },
          behavior: "Removed",
          invert: true,
        },
        { type: "ByteLevel", add_prefix_space: false },
      ],
    },
    post_processor: { type: "RobertaProcessing", cls: ["<|startoftext|>", 4], sep: ["<|endoftext|>", 5] },
    decoder: null,
    model: { type: "BPE", unk_token: "<|endoftext|>", end_of_word_suffix: "</w>", vocab, merges: ["a a", "a a</w>"] },
  };
  const siglip = {
    normalizer: {
      type: "Sequence",
      normalizers: [
        { type: "Lowercase" },
        { type: "Replace", pattern: { Regex: "[!\\.]" }, content: "" },
        { type: "Strip", strip_left: true, strip_right: true },
      ],
    },
    pre_tokenizer: { type: "Metaspace", replacement: "\u2581", prepend_scheme: "always" },
    post_processor: {
      type: "TemplateProcessing",
      single: [{ Sequence: { id: "A", type_id: 0 } }, { SpecialToken: { id: "</s>", type_id: 0 } }],
    },
    decoder: null,
    model: {
      type: "Unigram",
      unk_id: 1,
      vocab: [
        ["</s>", 0],
        ["<unk>", 0],
        ["\u2581", -2],
        ["a", -1.5],
        ["\u2581a", -1],
      ],
    },
  };
  const merges = "#version: 0.2\na a\na a</w>\n";
  const all: Seed[] = [
    file("tokenizer of CLIP", "tokenizer", "tokenizer.json", json(clip)),
    file("tokenizer of SigLIP", "tokenizer", "tokenizer.json", json(siglip)),
    ...golden.tokenizers.map(({ name, json: settings }) =>
      file(`tokenizer of ${name}, as written`, "tokenizer", "tokenizer.json", json(settings)),
    ),
    file("tokenizer of words", "tokenizer", "tokenizer.json", wordTokenizer(["a", "cat"]).json),
    folderOf("vocabulary and merges", "tokenizer", { "vocab.json": json(vocab), "merges.txt": merges }),
    {
      what: "packed merges",
      reader: "tokenizer",
      parts: { merges: Buffer.from(merges) },
      files: ({ merges }) => ({ "bpe_simple_vocab_16e6.txt.gz": gzipSync(merges) }),
    },
  ];
  return all.map(({ path: _, ...seed }) => seed); // the folder is read
}

const noise = (channels: 3 | 4) =>
  sharp(Buffer.from(Array.from({ length: 6 * 5 * channels }, (_, i) => (i * 37) % 256)), {
    raw: { width: 6, height: 5, channels },
  });

async function pictures(): Promise<Seed[]> {
  const bmp = Buffer.alloc(54 + 8 * 2);
  bmp.write("BM");
  bmp.writeUInt32LE(bmp.length, 2);
  bmp.writeUInt32LE(54, 10);
  for (const [at, value] of [
    [14, 40],
    [18, 2],
    [22, 2],
    [34, 16],
  ])
    bmp.writeUInt32LE(value, at);
  bmp.writeUInt16LE(1, 26);
  bmp.writeUInt16LE(24, 28);
  const gray = noise(3).grayscale();
  const made: Record<string, Uint8Array> = {
    "a.png": await noise(3).png().toBuffer(),
    "a.alpha.png": await noise(4).png().toBuffer(),
    "a.palette.png": await noise(3).png({ palette: true }).toBuffer(),
    "a.gray.png": await gray.png().toBuffer(),
    "a.jpg": await noise(3).jpeg().toBuffer(),
    "a.progressive.jpg": await noise(3).jpeg({ progressive: true }).toBuffer(),
    "a.cmyk.jpg": await noise(3).toColourspace("cmyk").jpeg().toBuffer(),
    "a.webp": await noise(3).webp().toBuffer(),
    "a.lossless.webp": await noise(4).webp({ lossless: true }).toBuffer(),
    "a.gif": await noise(3).gif().toBuffer(),
    "a.tiff": await noise(3).tiff().toBuffer(),
    "a.bmp": bmp,
    "a.ppm": Buffer.concat([Buffer.from("P6\n2 2\n255\n"), Buffer.alloc(12, 9)]),
    "a.pgm": Buffer.from("P5\n2 2\n255\n1234"),
  };
  return [
    ...Object.entries(made).map(([name, data]) => file(`picture ${name.slice(2)}`, "picture", name, data)),
    pngOfParts("PNG of RGB", [2, 8], scanLines(9, 90)),
    pngOfParts("PNG of palette", [3, 4], scanLines(2, 0x12), {
      PLTE: Buffer.alloc(48, 77),
      tRNS: Buffer.from([0, 128]),
    }),
    pngOfParts("PNG of 16 bits", [6, 16], scanLines(24, 200), { gAMA: Buffer.from([0, 0, 177, 143]) }),
  ];
}

/** Four lines, unfiltered. */
const scanLines = (bytes: number, level: number) =>
  Buffer.concat(Array(4).fill(Buffer.concat([Buffer.alloc(1), Buffer.alloc(bytes, level)])));

/** 3 x 4 pixels; its chunks spoilt before they are packed and summed. */
function pngOfParts(what: string, [color, depth]: readonly [number, number], pixels: Buffer, chunks: Parts = {}): Seed {
  const header = Buffer.from([0, 0, 0, 3, 0, 0, 0, 4, depth, color, 0, 0, 0]);
  const chunk = (type: string, data: Uint8Array) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const ends = Buffer.alloc(8);
    ends.writeUInt32BE(data.length, 0);
    ends.writeUInt32BE(crc32(body), 4);
    return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)]);
  };
  return {
    what,
    reader: "picture",
    parts: { header, ...chunks, pixels },
    files: ({ header, pixels, ...chunks }) => ({
      "a.png": Buffer.concat([
        Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
        chunk("IHDR", header),
        ...Object.entries(chunks).map(([type, data]) => chunk(type, data)),
        chunk("IDAT", deflateSync(pixels)),
        chunk("IEND", Buffer.alloc(0)),
      ]),
    }),
    path: "a.png",
  };
}

/** A ustar archive of these files. */
function tar(files: Parts): Buffer {
  const members = Object.entries(files).map(([name, data]) => {
    const header = Buffer.alloc(512);
    header.write(name);
    header.write(`${data.length.toString(8).padStart(11, "0")}\0`, 124);
    header.write("        ", 148);
    header.write("0", 156);
    header.write("ustar\0", 257);
    const sum = header.reduce((a, b) => a + b, 0);
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    return Buffer.concat([header, data, Buffer.alloc((512 - (data.length % 512)) % 512)]);
  });
  return Buffer.concat([...members, Buffer.alloc(1024)]);
}

async function dataSets(): Promise<Seed[]> {
  const golden = (name: string) => readFile(new URL(`../golden/files/${name}`, here));
  const png = await noise(3).png().toBuffer();
  const shard = {
    "1.png": png,
    "1.txt": Buffer.from("a cat"),
    "1.json": Buffer.from('{"caption":"a cat","label":1}'),
    "2.png": png,
    "2.cls": Buffer.from("0"),
  };
  const record = Buffer.concat([Buffer.from([3]), Buffer.alloc(3072, 7)]);
  const fineNames = Array.from({ length: 100 }, (_, i) => push.text(`class ${i}`));
  const meta = pickle(push.dict({ fine_label_names: bytes("](", ...fineNames, "e") }));
  const images = { "1.png": png, "2.png": png };
  return [
    { what: "tar", reader: "data", parts: shard, files: (parts) => ({ "a.tar": tar(parts) }), path: "a.tar" },
    {
      what: "tar.gz",
      reader: "data",
      parts: { tar: tar(shard) },
      files: ({ tar }) => ({ "a.tar.gz": gzipSync(tar) }),
      path: "a.tar.gz",
    },
    file("packed tar", "data", "a.tar.gz", gzipSync(tar(shard))),
    ...(await Promise.all(
      ["flat", "snappy", "none", "gzip", "brotli", "zstd", "lz4", "lists", "lists-v2"].map(async (name) =>
        file(`Parquet ${name}`, "data", "a.parquet", await golden(`${name}.parquet`)),
      ),
    )),
    folderOf("CIFAR-10, binary", "data", {
      "data_batch_1.bin": Buffer.concat([record, record]),
      "batches.meta.txt": Array.from({ length: 10 }, (_, i) => `class ${i}\n`).join(""),
    }),
    folderOf("CIFAR, Python", "data", { test: await golden("cifar-python-4.pickle"), meta }),
    folderOf("csv", "data", { ...images, "a.csv": "image,label\n1.png,cat\n2.png,dog\n" }, "a.csv"),
    folderOf(
      "tsv of captions",
      "data",
      { ...images, "a.tsv": 'filepath\tcaption\n1.png\ta cat\n2.png\t"a dog"\n' },
      "a.tsv",
    ),
    folderOf("metadata.jsonl", "data", {
      ...images,
      "metadata.jsonl": '{"file_name":"1.png","text":"a cat"}\n{"file_name":"2.png","text":"a dog"}\n',
    }),
    folderOf("Flickr's captions", "data", { ...images, "Flickr8k.token.txt": "1.png#0\ta cat\n2.png#0\ta dog\n" }),
    folderOf("COCO's captions", "data", {
      ...images,
      "captions_val.json": json({
        images: [{ id: 1, file_name: "1.png" }],
        annotations: [{ image_id: 1, caption: "a cat" }],
      }),
    }),
    folderOf("class folders", "data", {
      "cat/1.png": png,
      "dog/2.png": png,
      "dog/2.txt": "a dog",
      "classes.json": json(["cat", "dog"]),
    }),
    folderOf("SUN397", "data", {
      "Training_01.txt": "/a/cat/1.png\n",
      "ClassName.txt": "/a/cat\n/a/dog\n",
      "a/cat/1.png": png,
    }),
    folderOf("classes and templates", "source", {
      "a/1.png": png,
      "b/2.png": png,
      "names.txt": "ant\nbee\n",
      "templates.txt": "a photo of a {}.\n",
    }),
  ];
}

function texts(): Seed[] {
  const scores = (ca: number, asr: number) => ({ ca: { value: ca, n: 100 }, asr: { value: asr, n: 80 } });
  const trigger = { kind: "badnet", spec: { kind: "badnet", place: "bottom-right", seed: 1 } };
  const inputs = { data: "shapes", sizes: { test: 100 } };
  const receipt = { seed: 1, target: "red circle", trigger, inputs, before: scores(0.9, 0.95), after: scores(0.9, 0) };
  return [
    file("receipt", "receipt", "receipt.json", json(receipt)),
    file("result of clean", "report", "result.json", json(cleanFixture)),
    file(
      "trigger.json",
      "trigger",
      "trigger.json",
      json({ trigger: { kind: "badnet", place: "top-left", size: 2 }, target: "cat" }),
    ),
    file("trigger.json, blended", "trigger", "trigger.json", json({ kind: "blended", ratio: 0.2, seed: 3 })),
    file("trigger as text", "triggerText", "trigger.txt", "badnet:place=bottom-right,redraw=false,size=4"),
    folderOf("work in progress", "work", {
      "work.json": json({
        recipe: "r",
        timings: [{ what: "load", seconds: 1 }],
        counts: { "test, before, images 0 to 10": 7 },
      }),
    }),
    file("commit of the hub", "hubCommit", "answer.json", json({ sha: "0123456789abcdef0123456789abcdef01234567" })),
    file(
      "files of the hub",
      "hubFiles",
      "answer.json",
      json([
        { type: "file", path: "config.json", oid: "0123456789abcdef0123456789abcdef01234567", size: 10 },
        { type: "file", path: "m.safetensors", oid: "x", size: 9, lfs: { oid: "ab".repeat(32), size: 9 } },
      ]),
    ),
  ];
}
