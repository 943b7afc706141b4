/**
 * Pictures of the docs, drawn by tbar itself. Run: npm run pictures. The report is that of `npm run demo`, where it was run, as a
 * Chromium shows it (CHROMIUM tells where it is).
 */
import { existsSync, mkdirSync } from "node:fs";
import { resolve } from "node:path";
import { chromium } from "playwright-core";
import sharp from "sharp";
import { makeTrigger, parseTriggerSpec } from "../src/attacks/index.ts";
import { clipPreprocess } from "../src/checkpoint/config/preprocess.ts";
import { galleryPng } from "../src/data/images/gallery.ts";
import { pickImages } from "../src/data/images/pixels.ts";
import { openSource } from "../src/jobs/inputs/source.ts";
import { difference } from "../src/jobs/trigger/draw.ts";
import type { Tensor } from "../src/tensor/tensor.ts";

/** Those that are not fitted to a model, in the order of docs/attacks.md. */
const triggers = [
  "badnet:place=bottom-right,redraw=false",
  "blended:pattern=gaussian,redraw=false",
  "blended:pattern=uniform,redraw=false",
  "wanet:k=4,s=0.5",
  "sig",
  "stripes",
  "blended-stripes",
  "triangles",
  "text",
];
const size = 56;
const scale = 2;
const count = 4;

const { test } = await (await openSource("shapes", { seed: 3 })).sets({ test: count });
const indices = Array.from({ length: count }, (_, i) => i);
const ids = indices.map((i) => test.example(i).id);
const clean = await test.read(indices, clipPreprocess(size));
const each = (images: Tensor) => indices.map((i) => ({ shape: [3, size, size], data: pickImages(images, [i]).data }));
const rows = [{ name: "clean", images: each(clean) }];
for (const text of triggers) {
  const triggered = await makeTrigger(parseTriggerSpec(text)).apply(clean, ids);
  const { factor, amplified } = difference(clean, triggered);
  const name = `${text.replace(":", ": ").replaceAll(",", ", ")}; right: the difference x ${factor}`;
  rows.push({ name, images: [...each(triggered), ...each(amplified)] });
}
mkdirSync("docs/pictures", { recursive: true });
await keep(await galleryPng(rows, scale), "triggers");

const report = resolve("tbar-demo/report.html");
if (existsSync(report)) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox"],
  });
  const page = await browser.newPage({ viewport: { width: 1100, height: 1440 } });
  await page.goto(`file://${report}`);
  await keep(await page.screenshot(), "report");
  await browser.close();
}

async function keep(png: Uint8Array, name: string): Promise<void> {
  await sharp(png).webp({ quality: 85, smartSubsample: true }).toFile(`docs/pictures/${name}.webp`);
}
