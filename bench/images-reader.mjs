/**
 * Reads photographs as a job does, the built code in a process of its own: for each line "epoch" on stdin the images a second, for "memory" MB at most.
 * Arguments: a file that lists the photographs. Spoken to by images.ts.
 */
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { clipPreprocess } from "../dist/checkpoint/config/preprocess.js";
import { batches } from "../dist/data/batches.js";
import { imageFiles } from "../dist/data/formats/image-files.js";

const files = readFileSync(process.argv[2], "utf8").split("\n");
const dataset = imageFiles("photographs", files.map((file, i) => ({ id: `${i}`, file }))); // biome-ignore format: one line

async function epoch() {
  const start = performance.now();
  let count = 0;
  for await (const batch of batches(dataset, { batch: 64, preprocess: clipPreprocess(224) })) count += batch.count;
  return count / ((performance.now() - start) / 1000);
}

console.log(`ready ${process.version}`);
for await (const line of createInterface({ input: process.stdin }))
  console.log(line === "memory" ? process.resourceUsage().maxRSS / 1024 : await epoch());
