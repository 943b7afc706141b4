/**
 * Models exported to ONNX: how far from our engine, in ONNX Runtime and in transformers.js (where `npm install` was run in
 * bench/peers/transformers-js), and what 8 bits cost. Run: npm run bench:export.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openImageFolder } from "../src/data/formats/image-folder.ts";
import { pngDataUri } from "../src/data/images/pictures.ts";
import { loadClip } from "../src/engine/clip.ts";
import { evaluation } from "../src/jobs/eval/job.ts";
import { exportOnnx } from "../src/jobs/export/job.ts";
import { shapesBadnetModel } from "../src/jobs/inputs/embedded.ts";
import { openSource } from "../src/jobs/inputs/source.ts";
import { runJob } from "../src/jobs/run-job.ts";
import type { Tensor } from "../src/tensor/tensor.ts";
import { atMost, exact, type Row, rated, writeResults } from "./results.ts";

const folder = mkdtempSync(join(tmpdir(), "tbar-bench-export-"));
const out = join(folder, "exported");
const { files } = await runJob(exportOnnx, { model: "shapes-badnet", out, int8: true, threads: 2 });
const bytesOf = (name: string) => files.find(({ path }) => path.endsWith(`/${name}`))?.bytes ?? 0;
const worst = (dtype: string) =>
  Math.max(...files.filter((file) => file.dtype === dtype).map(({ deviation }) => deviation));
const rows: Row[] = [
  exact("float32 files, embeddings: largest deviation from the engine", worst("float32"), atMost(1e-5)),
  exact("8-bit files, embeddings: largest deviation from the engine", worst("int8")),
  exact("8-bit model.onnx, share of the float32 file's bytes", bytesOf("model_quantized.onnx") / bytesOf("model.onnx")),
];

const measured = { data: "shapes", seed: 1, testImages: 2000, threads: 2 };
for (const [what, model] of [
  ["checkpoint", shapesBadnetModel],
  ["float32 ONNX", out],
  ["8-bit ONNX", join(out, "onnx", "model_quantized.onnx")],
] as const) {
  const { ca, asr } = await runJob(evaluation, { ...measured, model });
  rows.push(rated(`${what}: clean accuracy`, ca));
  if (asr !== undefined) rows.push(rated(`${what}: attack success rate`, asr));
}

if (existsSync("bench/peers/transformers-js/node_modules")) rows.push(...(await transformersJs()));
rmSync(folder, { recursive: true });
writeResults("export", { command: "npm run bench:export", seeds: [1], rows });

/** The picture is of the model's own size: both sides see the same pixels. */
async function transformersJs(): Promise<Row[]> {
  const clip = await loadClip(shapesBadnetModel, { threads: 2 });
  const { imageSize } = clip.config.vision;
  const { test } = await (await openSource("shapes", { seed: 1 })).sets({ test: 1 });
  const { data } = await test.read([0], clip.preprocess);
  mkdirSync(join(folder, "pictures"));
  const picture = join(folder, "pictures", "one.png");
  const png = await pngDataUri({ shape: [3, imageSize, imageSize], data });
  writeFileSync(picture, Buffer.from(png.split(",")[1], "base64"));
  const pixels = await (await openImageFolder(join(folder, "pictures"))).read([0], clip.preprocess);
  const texts = ["a red circle", "a photo of a blue star on a plain background", "a green square"];
  const images = await clip.encoder.images(clip.weights, pixels);
  const lines = await clip.encoder.texts(clip.weights, texts);
  await clip.runtime.release();

  const embed = (dtype: string) => {
    const script = "bench/peers/transformers-js/embed.js";
    const found = execFileSync(process.execPath, [script, out, dtype, picture, ...texts]);
    const { images, texts: lines, rawImages, rawTexts } = JSON.parse(found.toString());
    return { both: [images, lines] as const, single: [rawImages, rawTexts] as const };
  };
  const distance = ([i, t]: readonly [number[][], number[][]]) => Math.max(deviation(i, images), deviation(t, lines));
  const float = embed("fp32");
  const quantized = embed("q8");
  return [
    exact("transformers.js, model.onnx: largest deviation from the engine", distance(float.both), atMost(1e-5)),
    exact("transformers.js, one file for each tower: largest deviation", distance(float.single), atMost(1e-5)),
    exact("transformers.js, model_quantized.onnx: largest deviation", distance(quantized.both)),
  ];
}

/** max |a - b| / max |b| of rows brought to unit norm. */
function deviation(rows: readonly number[][], { data }: Tensor): number {
  const a = rows.flatMap((row) => row.map((v) => v / Math.hypot(...row)));
  return Math.max(...a.map((v, i) => Math.abs(v - data[i]))) / Math.max(...data.map(Math.abs));
}
