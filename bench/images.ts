/**
 * Photographs to tensors: 500x375 JPEG files through decoding, CLIP's transform and batches, against torchvision's transforms in a
 * DataLoader with two workers, in interleaved rounds; ours as it was built, in a process such as jobs have. Run: npm run bench:images. Needs
 * ../shared/data and Python with torch, torchvision and Pillow (TBAR_PYTHON).
 */
import { readdirSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { allocation } from "../src/process/fork.ts";
import { peer } from "./peer.ts";
import { atLeast, exact, median, python, rated, writeResults } from "./results.ts";

const rounds = Number(process.env.ROUNDS ?? 15);
const perRound = Number(process.env.IMAGES ?? 1024);
const folder = "../shared/data/flickr8k-1000/images";

const photographs: string[] = [];
for (const name of readdirSync(folder).sort()) {
  const { width, height } = await sharp(join(folder, name)).metadata();
  if (Math.max(width, height) === 500 && Math.min(width, height) === 375) photographs.push(join(folder, name));
}
const files = Array.from({ length: perRound }, (_, i) => photographs[i % photographs.length]);
const scratch = await mkdtemp(join(tmpdir(), "tbar-images-"));
writeFileSync(join(scratch, "files.txt"), files.join("\n"));
const torchvision = await peer(python, ["bench/peers/images.py", join(scratch, "files.txt")]);
const theirs = () => torchvision.ask("epoch");
const reader = await peer(process.execPath, ["bench/images-reader.mjs", join(scratch, "files.txt")], allocation);
const ours = () => reader.ask("epoch");

await ours();
await theirs();
const rates: { readonly ours: number; readonly theirs: number }[] = [];
for (let i = 0; i < rounds; i++) {
  const [first, second] = i % 2 === 0 ? [ours, theirs] : [theirs, ours];
  const [a, b] = [await first(), await second()];
  rates.push(i % 2 === 0 ? { ours: a, theirs: b } : { ours: b, theirs: a });
}
torchvision.stop();
const memory = await reader.ask("memory");
reader.stop();
await rm(scratch, { recursive: true });

writeResults("images", {
  command: "npm run bench:images",
  seeds: [],
  rows: [
    rated("images a second, 500x375 JPEG to a 224 tensor", median(rates.map((r) => r.ours)), atLeast(250)),
    rated("the same, torchvision's DataLoader with 2 workers", median(rates.map((r) => r.theirs))),
    rated("ours / torchvision", median(rates.map((r) => r.ours / r.theirs)), atLeast(1.2)),
    exact("peak memory of our process, MB", memory),
  ],
});
