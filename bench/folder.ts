/**
 * Nothing is known of the trigger but images that carry it: a folder of 1,000 PNG files, cleaned by the variants of TBAR; the true trigger, on images
 * that took no part, decides. Run: npm run bench:folder -- [MODEL...], the shipped shapes-badnet unless told; of others that say which trigger they carry, such
 * as the attacks of recipes/tbar-erase.yaml make.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import sharp from "sharp";
import { storedTrigger } from "../src/attacks/index.ts";
import { readCheckpoint } from "../src/checkpoint/clip-folder.ts";
import { clean, type Dataset, evaluate, type Preprocess } from "../src/index.ts";
import { implantedTrigger } from "../src/jobs/inputs/model-facts.ts";
import { modelPath } from "../src/jobs/inputs/names.ts";
import { triggered } from "../src/triggers/poison.ts";
import { shapesWorld } from "../src/world/shapes.ts";
import { exact, type Row, rated, writeResults } from "./results.ts";

const [seed, images] = [1, 1000];
const methods = ["plain", "erase", "fisher"];
const rows: Row[] = [];
const asked = process.argv.slice(2);
for (const model of asked.length > 0 ? asked : ["shapes-badnet"]) {
  const work = mkdtempSync(join(tmpdir(), "tbar-folder-"));
  try {
    const checkpoint = await readCheckpoint(modelPath(model));
    const implanted = implantedTrigger(checkpoint.metadata);
    if (implanted === undefined) throw new Error(`${model} does not say which trigger it carries`);
    const { target } = implanted;
    const trigger = storedTrigger(implanted.trigger);
    const [folder, out] = [join(work, "triggered"), join(work, "cleaned")];
    mkdirSync(folder);
    const world = shapesWorld({ seed: 1000, split: "folder", size: images });
    await writeAll(triggered(world, trigger, target), folder, checkpoint.preprocess);
    const sizes = { clean: 500, test: 2000 };
    const data = { data: "shapes", target, seed };
    const cleaned = await clean({ ...data, model, trigger: folder, methods, out, sizes, checks: 0, recovery: 0 });
    const name = `${trigger.spec.kind}, ${target} (${basename(model)})`;
    for (const [method, { after, retention }] of Object.entries(cleaned.variants))
      rows.push(
        rated(`${name}: ASR after on the three eighths of the folder that took no part, ${method}`, after.asr),
        exact(`${name}: CA retention, ${method}`, retention),
      );
    if (!existsSync(out)) rows.push(exact(`${name}: nothing satisfied the rule, and nothing was written`, 1));
    for (const [when, at] of Object.entries({
      "of the clean embedded model": "shapes",
      before: model,
      [`after (${cleaned.method}, chosen on validation)`]: out,
    })) {
      if (at === out && !existsSync(out)) continue;
      const { ca, asr, triggeredAccuracy } = await evaluate({ ...data, model: at, seed: seed + 1 }, { trigger });
      if (asr) rows.push(rated(`${name}: ASR ${when}, the true trigger`, asr));
      rows.push(rated(`${name}: CA ${when}`, ca));
      if (triggeredAccuracy) rows.push(rated(`${name}: own label with the trigger on, ${when}`, triggeredAccuracy));
    }
  } finally {
    rmSync(work, { recursive: true });
  }
}
writeResults("folder", { command: "npm run bench:folder", seeds: [seed], rows });

/** Each image a PNG of the size that the model takes, which is the one that the world is drawn in. */
async function writeAll(set: Dataset, folder: string, preprocess: Preprocess): Promise<void> {
  for (let i = 0; i < set.size; i++) {
    const { shape: [, , height, width], data } = await set.read([i], preprocess); // biome-ignore format: one line
    const plane = height * width;
    const value = (at: number) => Math.round(255 * data[(at % 3) * plane + Math.floor(at / 3)]);
    const bytes = Uint8Array.from({ length: 3 * plane }, (_, at) => value(at));
    await sharp(bytes, { raw: { width, height, channels: 3 } })
      .png()
      .toFile(join(folder, `${i}.png`));
  }
}
