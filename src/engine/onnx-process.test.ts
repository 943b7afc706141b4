/** Foreign ONNX models: what they may not ask for, and that whatever they do ends. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { body, external, floats, graphAttribute, ints, node, onnxModel, slowNodes } from "../../test/onnx.ts";
import { intTensor, tensor } from "../tensor/tensor.ts";
import { openForeign } from "./onnx-process.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-foreign-"));
});
afterAll(() => rm(folder, { recursive: true }));

const write = async (model: Uint8Array, name = "model.onnx") => {
  const path = join(folder, name);
  await writeFile(path, model);
  return path;
};
const feeds = (batch: number) => ({
  pixel_values: { shape: [batch, 3, 56, 56], data: new Float32Array(batch * 3 * 56 * 56).fill(0.5) },
  input_ids: intTensor([1, 2], [1, 2]),
});

test("a sound one gives what is asked of it, in the order of the questions", async () => {
  const path = await write(
    onnxModel(
      [node("ReduceMean", ["pixel_values"], ["mean"]), node("Reshape", ["mean", "one"], ["w"])],
      [ints("one", [1])],
    ),
  );
  const { programs, facts, release } = await openForeign([path], { threads: 1 });
  const [program] = programs;
  expect(facts).toMatchObject({ dtype: "int64", parameters: 2 });
  expect([program.inputs, program.outputs]).toEqual([
    ["pixel_values", "input_ids"],
    ["image_embeds", "text_embeds"],
  ]);
  const answers = await Promise.all([3, 1, 2].map((batch) => program.run(feeds(batch), {}, ["image_embeds"])));
  expect(answers.map(({ image_embeds: { shape } }) => shape)).toEqual([
    [3, 4],
    [1, 4],
    [2, 4],
  ]);
  expect(Object.keys(answers[0])).toEqual(["image_embeds"]);
  expect([...answers[0].image_embeds.data]).toEqual(Array(12).fill(0.5));
  await release();
  await expect(program.run(feeds(1))).rejects.toThrow();
});

const loop = node("Loop", ["trips", "", "start"], ["w"], { attribute: [graphAttribute("body", body)] });
const looping = [ints("trips", [2 ** 52], []), floats("start", [1])];

describe("refused by name, before it runs:", () => {
  test.each([
    ["a loop", onnxModel([loop], looping), /it has the operator Loop/],
    [
      "a loop in a branch",
      onnxModel(
        [node("If", ["yes"], ["w"], { attribute: [graphAttribute("then_branch", { node: [loop] })] })],
        looping,
      ),
      /it has the operator Loop/,
    ],
    [
      "an operator of others",
      onnxModel([node("Evil", ["pixel_values"], ["w"], { domain: "evil" })], []),
      /the operator "Evil" is of the domain "evil"/,
    ],
    [
      "weights above its folder",
      onnxModel([], [external("w", "../secret", 4)]),
      /"w" lies in the file "\.\.\/secret"; weights must lie beside/,
    ],
    ["weights at a path", onnxModel([], [external("w", "/etc/passwd", 4)]), /must lie beside their model/],
    ["weights that are not there", onnxModel([], [external("w", "none.bin", 4)]), /there is no such file/],
    [
      "what is drawn by chance",
      onnxModel([node("RandomNormalLike", ["pixel_values"], ["w"])], []),
      /has the operator Random/,
    ],
    [
      "weights that are a pointer",
      onnxModel([], [external("w", "pointer.bin", 4)]),
      /pointer.bin is a Git LFS pointer/,
    ],
    ["weights that end early", onnxModel([], [external("w", "short.bin", 400)]), /lies beyond the end of short.bin/],
    [
      "an operator that nobody knows",
      onnxModel([node("Gelatinize", ["pixel_values"], ["w"])], []),
      /cannot be run: ONNX Runtime does not know its operator Gelatinize$/,
    ],
    ["other bytes", Buffer.from("PK\u0003\u0004 no model"), /is no ONNX|has no graph/],
    ["nothing", new Uint8Array(), /has no graph/],
  ])("%s", async (_, model, message) => {
    await writeFile(join(folder, "short.bin"), "1234");
    await writeFile(
      join(folder, "pointer.bin"),
      `version https://git-lfs.github.com/spec/v1\noid sha256:${"0".repeat(64)}\nsize 9\n`,
    );
    const opening = openForeign([await write(model)], { threads: 1 });
    await expect(opening).rejects.toThrow(message);
    await expect(opening).rejects.toMatchObject({ code: "bad-input" });
  });
});

test("memory that nobody has is refused in a sentence, without ONNX Runtime's own text", async () => {
  const nodes = [
    node("ConstantOfShape", ["shape"], ["big"]),
    node("ReduceSum", ["big"], ["w0"]),
    node("Reshape", ["w0", "one"], ["w"]),
  ];
  const path = await write(onnxModel(nodes, [ints("shape", [2 ** 40]), ints("one", [1])]));
  const work = openForeign([path], { threads: 1 }).then(({ programs }) => programs[0].run(feeds(1)));
  await expect(work).rejects.toThrow(
    /^\S+model\.onnx (cannot be run: it asks for more memory than there is|takes more than [\d.]+ GiB of memory)$/,
  );
});

test("an abort ends one that multiplies for minutes, at once and with the signal's reason", async () => {
  const { nodes, tensors } = slowNodes();
  const path = await write(onnxModel(nodes, tensors));
  const stop = new AbortController();
  const { programs } = await openForeign([path], { threads: 1, signal: stop.signal });
  const running = programs[0].run(feeds(1));
  const waiting = programs[0].run(feeds(1));
  const reason = new Error("enough");
  let stopped = 0;
  setTimeout(() => {
    stopped = performance.now();
    stop.abort(reason);
  }, 500);
  await expect(running).rejects.toBe(reason);
  await expect(waiting).rejects.toBe(reason);
  expect(performance.now() - stopped).toBeLessThan(2000);
  await expect(openForeign([path], { signal: stop.signal })).rejects.toBe(reason);
});

test("one that takes the process with it is told so", async () => {
  const path = await write(onnxModel([], []));
  const { programs } = await openForeign([path], { threads: 1 });
  const broken = programs[0].run({ ...feeds(1), pixel_values: tensor([1, 3, 5, 5]) });
  await expect(broken).rejects.toThrow(/model\.onnx cannot be run: its input pixel_values has another shape/);
});
