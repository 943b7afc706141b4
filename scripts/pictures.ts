/** Pictures of the docs, drawn by tbar itself. Run: npm run pictures. */
import { mkdirSync, writeFileSync } from "node:fs";
import sharp from "sharp";
import { galleryPng } from "../src/data/gallery.ts";
import { pickImages } from "../src/data/pixels.ts";
import { makeTrigger, parseTriggerSpec } from "../src/experiments/registry.ts";
import { difference } from "../src/experiments/show-trigger.ts";
import { openSource } from "../src/experiments/source.ts";
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
const clean = await test.read(indices, size);
const each = (images: Tensor) => indices.map((i) => ({ shape: [3, size, size], data: pickImages(images, [i]).data }));
const rows = [{ name: "clean", images: each(clean) }];
for (const text of triggers) {
  const triggered = await makeTrigger(parseTriggerSpec(text)).apply(clean, ids);
  const { factor, amplified } = difference(clean, triggered);
  const name = `${text.replace(":", ": ").replaceAll(",", ", ")}; right: the difference x ${factor}`;
  rows.push({ name, images: [...each(triggered), ...each(amplified)] });
}
mkdirSync("docs/pictures", { recursive: true });
const png = await galleryPng(rows, scale);
writeFileSync("docs/pictures/triggers.webp", await sharp(png).webp({ quality: 85, smartSubsample: true }).toBuffer());
