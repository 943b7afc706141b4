/**
 * Embeddings of the odd images of test/golden/preprocess under every preprocessing there: ours, through the files and the path that `tbar eval` and `tbar embed` use,
 * against transformers' PIL processors and open_clip's transforms with the same weights. Run: npm run bench:preprocess. Needs Python with both (TBAR_PYTHON).
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readCheckpoint } from "../src/checkpoint/clip-folder.ts";
import { describePreprocess, type Preprocess } from "../src/checkpoint/config/preprocess.ts";
import { openSafetensors } from "../src/checkpoint/formats/safetensors.ts";
import { imageFiles } from "../src/data/formats/image-files.ts";
import { createClip } from "../src/engine/clip.ts";
import { embedImages } from "../src/engine/scorer.ts";
import { createRuntime } from "../src/runtime/compile.ts";
import { onnxRuntime } from "../src/runtime/onnxruntime.ts";
import type { Tensor } from "../src/tensor/tensor.ts";
import { atMost, exact, python, writeResults } from "./results.ts";

interface Case {
  readonly transformers?: { readonly image_processor_type?: string };
  readonly open_clip?: object;
  readonly side: number;
  readonly pixels: Readonly<Record<string, unknown>>;
}

const golden = "test/golden/preprocess";
const cases: Case[] = JSON.parse(readFileSync(join(golden, "expected.json"), "utf8"));
const folder = mkdtempSync(join(process.env.TBAR_SCRATCH ?? tmpdir(), "tbar-preprocess-"));
const runtime = createRuntime(await onnxRuntime({ threads: 1 }));

/** By the kind of preprocessing, filters together: the largest difference and on how many embeddings. */
const found = new Map<string, { largest: number; count: number }>();
try {
  execFileSync(python, ["bench/peers/preprocess.py", golden, folder], { stdio: ["ignore", "ignore", "inherit"] });
  const expected = await openSafetensors(join(folder, "expected.safetensors"));
  for (const [number, one] of cases.entries()) {
    const { preprocess, embeddings } = await ours(one);
    const theirs = await expected.read(String(number));
    const largest = largestDifference(embeddings, theirs);
    const what = nameOf(preprocess);
    const before = found.get(what) ?? { largest: 0, count: 0 };
    found.set(what, { largest: Math.max(before.largest, largest), count: before.count + theirs.shape[0] });
  }
  await expected.close();
} finally {
  rmSync(folder, { recursive: true });
}
writeResults("preprocess", {
  command: "npm run bench:preprocess",
  seeds: [0],
  reference: null,
  rows: [...found].map(([what, { largest, count }]) =>
    exact(`${what}: ${count} embeddings, max |a - b|`, largest, atMost(3e-7)),
  ),
});
await runtime.release();

/** The model's own files, with the preprocessing of a case written beside it. */
async function ours(one: Case): Promise<{ preprocess: Preprocess; embeddings: Tensor }> {
  const kind = one.open_clip ? "open_clip" : one.transformers?.image_processor_type ? "siglip" : "clip";
  const path = join(folder, `${kind}-${one.side}`);
  if (one.open_clip === undefined) {
    writeFileSync(join(path, "preprocessor_config.json"), JSON.stringify(one.transformers));
  } else {
    const file = join(path, "open_clip_config.json");
    const { model_cfg } = JSON.parse(readFileSync(file, "utf8"));
    writeFileSync(file, JSON.stringify({ model_cfg, preprocess_cfg: one.open_clip }));
  }
  const { config, preprocess, weights } = await readCheckpoint(path);
  const clip = createClip({ config, preprocess, tokenize: () => [], runtime });
  // Python fails on the others, and so do we: test/golden/preprocess.test.ts
  const names = Object.keys(one.pixels).filter((name) => one.pixels[name] !== null);
  const files = names.map((name) => ({ id: name, file: join(golden, name) }));
  const embeddings = await embedImages(clip, await weights(), imageFiles("odd", files));
  await clip.encoder.release();
  return { preprocess, embeddings };
}

function largestDifference(ours: Tensor, theirs: Tensor): number {
  if (`${ours.shape}` !== `${theirs.shape}`) throw new Error(`[${ours.shape}] against [${theirs.shape}]`);
  return ours.data.reduce((largest, value, i) => Math.max(largest, Math.abs(value - theirs.data[i])), 0);
}

function nameOf(preprocess: Preprocess): string {
  const sentence = describePreprocess(preprocess)
    .replace(`, ${preprocess.filter}`, "")
    .replace(/, mean.*/, "");
  return `${preprocess.order === "transformers" ? "transformers" : "open_clip"}: ${sentence}`;
}
