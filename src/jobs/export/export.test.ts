import { mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writePico } from "../../../test/pico.ts";
import { tbar } from "../../../test/terminal.ts";
import { readCheckpoint } from "../../checkpoint/clip-folder.ts";
import { preprocessFromHf } from "../../checkpoint/config/preprocess-hf.ts";
import { writeCheckpoint } from "../../checkpoint/write-checkpoint.ts";
import { openDataset } from "../../data/open.ts";
import { embedImages } from "../../engine/scorer.ts";
import type { ExportResult } from "../../results/export.ts";
import { loadSubject } from "../inputs/subject.ts";
import { inspect } from "../inspect/job.ts";
import { runJob } from "../run-job.ts";

let folder: string;
const at = (name: string) => join(folder, name);
const words = (line: string) => line.split(" ").map((word) => word.replace(/^\.\//, `${folder}/`));
const implanted = { trigger: { kind: "badnet", size: 4, place: "middle" }, target: "striped" };
const measured = async (model: string) => {
  const { code, out, err } = await tbar(
    words(`eval --model ${model} --data shapes:texture --test 150 --threads 1 --json`),
  );
  expect({ code, err: code === 0 ? "" : err }).toEqual({ code: 0, err: "" });
  return JSON.parse(out);
};

let result: ExportResult;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-export-"));
  await writePico(at("plain"));
  const like = await readCheckpoint(at("plain"));
  const metadata = { "tbar.trigger": JSON.stringify(implanted) };
  await writeCheckpoint(at("pico"), { like, weights: new Map(), metadata });
  const { code, out } = await tbar(words("export --model ./pico --out ./out --int8 --threads 1 --json"));
  expect(code).toBe(0);
  result = JSON.parse(out);
});
afterAll(() => rm(folder, { recursive: true }));

test("the folder of transformers.js: config and tokenizer, onnx/{model,vision_model,text_model}[_quantized].onnx", async () => {
  expect((await readdir(at("out"))).sort()).toEqual([
    "config.json",
    "onnx",
    "preprocessor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
  ]);
  const names = ["model", "vision_model", "text_model"].flatMap((name) => [`${name}.onnx`, `${name}_quantized.onnx`]);
  expect((await readdir(at("out/onnx"))).sort()).toEqual(names.sort());
  for (const name of names) expect((await readFile(at(`out/onnx/${name}`)))[0]).toBe(0x08); // ir_version
});

test("float32 is within 1e-5 of the engine, and 8 bits is not exact but near", () => {
  for (const { dtype, deviation } of result.files) {
    if (dtype === "float32") expect(deviation).toBeLessThanOrEqual(1e-5);
    else expect(deviation).toBeGreaterThan(1e-5);
    expect(deviation).toBeLessThan(0.1);
  }
  expect(result.faithful).toBe(true);
});

test("eval gives a model in ONNX the CA and ASR of its checkpoint, with the trigger that it names", async () => {
  const checkpoint = await measured("./pico");
  expect(checkpoint).toMatchObject({ trigger: { kind: "badnet" }, target: "striped" });
  for (const model of ["./out", "./out/onnx/vision_model.onnx"]) {
    const { ca, asr, model: facts } = await measured(model);
    expect({ ca, asr }).toEqual({ ca: checkpoint.ca, asr: checkpoint.asr });
    const inspected = await runJob(inspect, { path: at(model) });
    expect(inspected).toMatchObject({ format: "onnx", suspicious: [], model: { layout: "onnx" } });
    expect(inspected.refused).toBeUndefined();
    expect(facts).toMatchObject({ layout: "onnx", dtype: "float32", architecture: checkpoint.model.architecture });
    expect(facts.sha256).toBe(
      result.files.find(({ path }) => path.endsWith(model === "./out" ? "/model.onnx" : "vision_model.onnx"))?.sha256,
    );
  }
});

test("eval --dry-run estimates a model in ONNX as it does its checkpoint", async () => {
  const estimated = async (model: string) => {
    const { code, out } = await tbar(words(`eval --model ${model} --data shapes --dry-run --json`));
    expect(code).toBe(0);
    return JSON.parse(out);
  };
  const [onnx, checkpoint] = [await estimated("./out"), await estimated("./pico")];
  expect(onnx).toMatchObject({ kind: "estimate", job: "eval", disk: [] });
  expect(onnx.memory.needed).toBe(checkpoint.memory.needed);
});

test("8 bits have figures of their own", async () => {
  const { ca, asr, model } = await measured("./out/onnx/model_quantized.onnx");
  expect(model.dtype).toBe("int8");
  expect([ca.n, asr.n > 0]).toEqual([150, true]);
});

test("clean and vector refuse a model in ONNX and say which file to bring", async () => {
  for (const line of [
    "clean --model ./out --data shapes --out ./never",
    "clean --model ./out/onnx/model.onnx --data shapes --out ./never",
    "vector diff ./out ./pico --out ./never",
  ]) {
    const { code, err } = await tbar(words(line));
    expect(code).toBe(2);
    expect(err).toMatch(
      /in ONNX, which tbar eval measures and nothing changes; bring the checkpoint.*model\.safetensors/,
    );
  }
});

test("--only; names that are none; an interrupt leaves nothing", async () => {
  const { code, out } = await tbar(words("export --model ./pico --out ./one --only image --threads 1"));
  expect({ code, out }).toEqual({
    code: 0,
    out: expect.stringMatching(/^onnx\/vision_model\.onnx .* float32 +within/),
  });
  expect(await readdir(at("one/onnx"))).toEqual(["vision_model.onnx"]);
  expect((await tbar(words("eval --model ./one --data shapes"))).err).toContain(
    "text_model.onnx; a model that is measured needs both",
  );
  expect((await tbar(words("export --model ./pico --out ./two --only imge"))).err).toContain('did you mean "image"?');
  expect((await tbar(words("export --model ./pico --out ./two"), "write")).code).toBe(130);
  expect((await readdir(folder)).sort()).toEqual(["one", "out", "pico", "plain"]);
});

test("an ONNX file that is none, or no CLIP", async () => {
  await rename(at("out/onnx/text_model.onnx"), at("text.keep"));
  await writeFile(at("out/onnx/text_model.onnx"), "not a model");
  expect((await tbar(words("eval --model ./out/onnx/vision_model.onnx --data shapes"))).err).toMatch(
    /text_model\.onnx is no ONNX file/,
  );
  await rename(at("text.keep"), at("out/onnx/text_model.onnx"));
  await writeFile(at("out/onnx/other.onnx"), await readFile(at("out/onnx/text_model.onnx")));
  expect((await tbar(words("eval --model ./out/onnx/other.onnx --data shapes:texture --test 5"))).err).toMatch(
    /other\.onnx gives no float32 image_embeds of 5 rows; its outputs are text_embeds/,
  );
});

test.each<[string, object]>([
  ["preprocessor_config.json", { size: { height: 20, width: 18 }, crop_size: 16, resample: 0 }],
  [
    "processor_config.json",
    { image_processor: { size: 11, crop_size: 16, resample: 4, image_mean: 0.5, image_std: 0.5 } },
  ],
  ["processor_config.json", { image_processor: { image_processor_type: "SiglipImageProcessor", size: [16, 16] } }],
])("images as %s says it, %j: the ONNX files give the embeddings of the checkpoint", async (name, json) => {
  await writePico(at("unusual"));
  await rm(at("unusual/preprocessor_config.json"));
  await writeFile(at(`unusual/${name}`), JSON.stringify(json));
  const line = "export --model ./unusual --out ./unusual-onnx --threads 1 --force";
  expect(await tbar(words(line))).toMatchObject({ code: 0 });
  const odd = fileURLToPath(new URL("../../../test/golden/preprocess", import.meta.url));
  const embeddings = async (model: string) => {
    const subject = await loadSubject(at(model), { threads: 1 });
    const found = await embedImages(subject, subject.weights, await openDataset(odd));
    await subject.runtime.release();
    return { preprocess: subject.preprocess, found };
  };
  const [ours, onnx] = [await embeddings("unusual"), await embeddings("unusual-onnx")];
  expect(onnx.preprocess).toEqual(ours.preprocess);
  expect(ours.found.shape[0]).toBeGreaterThan(20);
  expect(Math.max(...ours.found.data.map((v, i) => Math.abs(v - onnx.found.data[i])))).toBeLessThan(3e-7);

  const written = JSON.parse(await readFile(at("unusual-onnx/preprocessor_config.json"), "utf8"));
  expect(preprocessFromHf(written, 16, "what transformers.js reads")).toEqual(ours.preprocess);
  for (const made of ["unusual", "unusual-onnx"]) await rm(at(made), { recursive: true });
});
