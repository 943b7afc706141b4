import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { bytes, pickle, push, type Storage, tensorOpcodes, torchFile, zip } from "../../../test/torch.ts";
import { readCheckpoint } from "../clip-folder.ts";
import { writeCheckpoint } from "../write-checkpoint.ts";
import { openWeights } from "./open-weights.ts";
import { openTorchFile } from "./torch-file.ts";

const golden = process.env.TBAR_GOLDEN ?? "../shared/golden";
const vit = join(golden, "clip-tiny-vit");

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-torch-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function opened(content: Uint8Array) {
  await writeFile(join(folder, "model.pt"), content);
  return openTorchFile(join(folder, "model.pt"));
}

const six: Storage = { type: "FloatStorage", key: "0", values: 6 };
const counted = { "0": new Uint8Array(Float32Array.of(0, 1, 2, 3, 4, 5).buffer) };

async function valuesOf(tensor: Uint8Array): Promise<number[]> {
  const file = await opened(torchFile(pickle(push.dict({ x: tensor })), counted));
  try {
    return [...(await file.read("x")).data];
  } finally {
    await file.close();
  }
}

describe("value [i, j, ...] of a tensor is storage[offset + i stride_0 + j stride_1 + ...]", () => {
  test.each<[string, number[], number[] | undefined, number, number[]]>([
    ["row-major", [2, 3], undefined, 0, [0, 1, 2, 3, 4, 5]],
    ["a later part", [3], undefined, 3, [3, 4, 5]],
    ["transposed", [3, 2], [1, 3], 0, [0, 3, 1, 4, 2, 5]],
    ["every other", [3], [2], 1, [1, 3, 5]],
    ["a column", [2, 1], [3, 1], 2, [2, 5]],
    ["odd strides along axes of one value", [1, 6, 1], [77, 1, 99], 0, [0, 1, 2, 3, 4, 5]],
    ["a scalar", [], [], 4, [4]],
    ["nothing", [0, 3], [3, 1], 6, []],
    ["repeated within its storage", [2, 2], [0, 1], 0, [0, 1, 0, 1]],
  ])("%s", async (_, shape, strides, offset, expected) => {
    expect(await valuesOf(tensorOpcodes(six, shape, strides, offset))).toEqual(expected);
  });

  test("a range of a transposed tensor", async () => {
    const file = await opened(torchFile(pickle(push.dict({ x: tensorOpcodes(six, [3, 2], [1, 3]) })), counted));
    expect([...(await file.readPart("x", 2, 3))]).toEqual([1, 4, 2]);
    await file.close();
  });
});

describe("where the tensors are", () => {
  const x = tensorOpcodes(six, [6]);
  const names = async (value: Uint8Array, script = false) => {
    const file = await opened(torchFile(pickle(value), counted, script));
    await file.close();
    return [...file.tensors.keys()];
  };

  test("a state dict, and what is no tensor in it passed over", async () => {
    expect(await names(push.dict({ ["__proto__"]: push.int(1), a: x, constructor: x, epoch: push.int(3) }))).toEqual([
      "a",
      "constructor",
    ]);
  });

  test("the state_dict of a training checkpoint; optimizer, arguments, numbers beside it", async () => {
    const args = bytes(push.name("argparse", "Namespace"), ")", 0x81, push.dict({ lr: push.text("1e-3") }), "b");
    const ordered = bytes(push.call("collections", "OrderedDict"), "(", push.text("module.a"), x, "u");
    const optimizer = push.dict({ state: push.dict({ exp_avg: x }) });
    const checkpoint = push.dict({ epoch: push.int(9), best: x, args, optimizer, state_dict: ordered });
    expect(await names(checkpoint)).toEqual(["module.a"]);
  });

  test("parameters as torch.save writes modules' own", async () => {
    const parameter = push.call("torch._utils", "_rebuild_parameter", x, bytes(0x88), push.dict({}));
    expect(await names(push.dict({ a: parameter }))).toEqual(["a"]);
  });

  test("a TorchScript module's attributes, by their path", async () => {
    const inner = push.module("__torch__.torch.nn.modules.linear.___torch_mangle_1", "Linear", { weight: x });
    const root = push.module("__torch__.clip.model", "CLIP", { training: bytes(0x89), visual: inner, logit_scale: x });
    expect(await names(root, true)).toEqual(["visual.weight", "logit_scale"]);
  });
});

test("sizes in 64 bits, as in files beyond 4 GB", async () => {
  const entries = [
    { name: "m/data.pkl", data: pickle(push.dict({ x: tensorOpcodes(six, [6]) })), wide: true },
    { name: "m/data/0", data: counted["0"], wide: true },
  ];
  const file = await opened(zip(entries));
  expect([...(await file.read("x")).data]).toEqual([0, 1, 2, 3, 4, 5]);
  await file.close();
});

test("a pickle without an archive is refused with advice", async () => {
  await writeFile(join(folder, "old.pt"), bytes(0x80, 2, 0x8a, 10, new Uint8Array(10), "."));
  await expect(openWeights(join(folder, "old.pt"))).rejects.toThrow(
    "as torch.save wrote before PyTorch 1.6, which is not read; where you trust it, load it in PyTorch with weights_only=True",
  );
});

describe.skipIf(!existsSync(vit))("golden files (in ../shared)", () => {
  /** Names and values alone: these files hold float32 where the others have half precision. */
  const valuesByName = async (file: string) =>
    new Map([...(await (await readCheckpoint(join(vit, file))).weights())].map(([name, value]) => [name, value.data]));

  test.each(["training_checkpoint.pt", "torchscript.pt"])("%s holds the weights of the other files", async (file) => {
    const [expected, found] = [await valuesByName("open_clip_model.safetensors"), await valuesByName(file)];
    expect([...found.keys()].sort()).toEqual([...expected.keys()].sort());
    for (const [name, data] of expected)
      expect(Buffer.compare(bufferOf(found.get(name)!), bufferOf(data)), name).toBe(0);
  });

  test.each([
    ["training_checkpoint.pt", []],
    ["torchscript.pt", ["attn_mask", "input_resolution", "context_length", "vocab_size"]],
  ])("%s is written as safetensors with the same keys", async (file, extras) => {
    const like = await readCheckpoint(join(vit, file));
    expect(like.extras).toEqual(extras);
    await writeCheckpoint(join(folder, "out.safetensors"), { like, weights: new Map() });
    const [a, b] = [await openWeights(join(vit, file)), await openWeights(join(folder, "out.safetensors"))];
    expect([...b.tensors.keys()].sort()).toEqual([...a.tensors.keys()].sort());
    for (const name of a.tensors.keys()) {
      expect(Buffer.compare(await a.readRaw(name), await b.readRaw(name)), name).toBe(0);
    }
    await a.close();
    await b.close();
  });
});

function bufferOf({ buffer, byteOffset, byteLength }: Float32Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
