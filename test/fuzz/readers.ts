/** What tbar does with a stranger's file, by kind: through the functions that its commands and its library call. */
import { once } from "node:events";
import { readFile, stat } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { makeTrigger, parseTriggerSpec } from "../../src/attacks/index.ts";
import { readCheckpoint } from "../../src/checkpoint/clip-folder.ts";
import type { TextConfig } from "../../src/checkpoint/config/config.ts";
import { clipPreprocess } from "../../src/checkpoint/config/preprocess.ts";
import { openWeights } from "../../src/checkpoint/formats/open-weights.ts";
import { loadTokenizer } from "../../src/clip/tokenizer.ts";
import { readTokenizerJson } from "../../src/clip/tokenizer-files.ts";
import { decodeAlpha, decodeImage } from "../../src/data/images/image.ts";
import { openDataset } from "../../src/data/open.ts";
import { readOnnx } from "../../src/engine/onnx-check.ts";
import { openForeign } from "../../src/engine/onnx-process.ts";
import { readState } from "../../src/engine/training-state.ts";
import { readJson } from "../../src/files/files.ts";
import { commitOf, filesOf } from "../../src/hub/client.ts";
import { parseRepo } from "../../src/hub/repo.ts";
import type { Hub } from "../../src/hub/request.ts";
import { implantedTriggers } from "../../src/jobs/inputs/model-facts.ts";
import { openSource } from "../../src/jobs/inputs/source.ts";
import { readTriggerFile } from "../../src/jobs/inputs/trigger-file.ts";
import { inspect } from "../../src/jobs/inspect/job.ts";
import { openWork } from "../../src/jobs/progress/work.ts";
import { Clock } from "../../src/jobs/record/facts.ts";
import { readReceipt } from "../../src/jobs/record/receipt.ts";
import { checkCleanResult } from "../../src/jobs/report/clean-result.ts";
import { runJob } from "../../src/jobs/run-job.ts";
import { vectorCosine, vectorInfo } from "../../src/jobs/vector/job.ts";
import { cleanReport } from "../../src/report/clean-report.ts";
import { intTensor, tensor } from "../../src/tensor/tensor.ts";

const commit = "0123456789abcdef0123456789abcdef01234567";
const text = { contextLength: 16, vocabSize: 600, pooling: "largest-id" } as TextConfig;
const lines = ["a photo of a cat", "aaaa", "It's 12, \u00e9t\u00e9!", " \t"];
const small = clipPreprocess(4);

export const readers = {
  async weights(path: string) {
    const file = await openWeights(path);
    try {
      for (const name of file.tensors.keys()) await file.readRaw(name);
    } finally {
      await file.close();
    }
    await runJob(inspect, { path });
  },
  async model(path: string) {
    await runJob(inspect, { path });
    const checkpoint = await readCheckpoint(path);
    const weights = await checkpoint.weights();
    implantedTriggers(checkpoint.metadata);
    const json = await readTokenizerJson(path);
    if (json !== undefined) lines.slice(0, 2).map(await loadTokenizer(json, checkpoint.config.text));
    return weights.size;
  },
  async vector(path: string) {
    await runJob(vectorInfo, { vector: path });
    await runJob(vectorCosine, { a: path, b: path });
  },
  async state(path: string) {
    const file = await openWeights(path);
    const expected = new Map(
      [...file.tensors].map(([name, { shape }]) => [name.slice(name.indexOf("/") + 1), { shape }]),
    );
    await file.close();
    return readState({ path, recipe: "r" }, expected, 10);
  },
  async tokenizer(path: string) {
    const json = await readTokenizerJson(path);
    if (json === undefined) return;
    lines.map(await loadTokenizer(json, text));
    const siglip = await loadTokenizer(json, { ...text, pooling: "last" });
    siglip("a cat");
  },
  async picture(path: string) {
    await decodeImage(path);
    await decodeAlpha(path);
  },
  async data(path: string) {
    const set = await openDataset(path);
    const few = Array.from({ length: Math.min(4, set.size) }, (_, i) => i);
    few.map((i) => set.example(i));
    for (const i of few) await set.read([i], small);
    const { size } = await openDataset(path, { skipBad: true });
    return size;
  },
  async source(path: string) {
    const options = { seed: 1, classesFile: join(path, "names.txt"), templatesFile: join(path, "templates.txt") };
    const source = await openSource(path, options);
    const { test } = await source.sets({ test: 2 });
    return test.read([0], small);
  },
  receipt: (path: string) => readReceipt(path),
  report: async (path: string) => cleanReport(checkCleanResult(await readJson(path, { bytes: 8 * 2 ** 20 }), path)),
  async trigger(path: string) {
    const { trigger } = await readTriggerFile(path);
    return trigger.apply(tensor([1, 3, 8, 8]), ["a"]);
  },
  async triggerText(path: string) {
    const trigger = makeTrigger(parseTriggerSpec(await readFile(path, "utf8")));
    return trigger.apply(tensor([1, 3, 8, 8]), ["a"]);
  },
  async work(path: string) {
    const work = await openWork(path, "r", new Clock());
    return work.training("x").recipe;
  },
  /** One in forty is run too, in its own process, which takes half a second. */
  async onnx(path: string) {
    await readOnnx(path);
    if ((await stat(path)).size % 40 !== 0) return;
    const { programs, release } = await openForeign([path], { threads: 1 });
    const pixels = { shape: [1, 3, 56, 56], data: new Float32Array(3 * 56 * 56) };
    await programs[0].run({ pixel_values: pixels, input_ids: intTensor([1, 2], [1, 2]) }).finally(release);
  },
  hubCommit: async (path: string) => commitOf(await hub(path), parseRepo("some/one")),
  hubFiles: async (path: string) => filesOf(await hub(path), parseRepo("some/one"), commit),
};

export type Reader = keyof typeof readers;

let server: Server | undefined;
let answer: Uint8Array;

/** A hub on this machine that gives one answer to everything. */
async function hub(path: string): Promise<Hub> {
  answer = await readFile(path);
  if (server === undefined) {
    server = createServer((_, response) => response.end(answer)).listen(0, "127.0.0.1");
    await once(server, "listening");
    server.unref();
  }
  return { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}
