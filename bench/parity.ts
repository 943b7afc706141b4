/**
 * Full-size models of random weights against transformers (ViT-B/32, ViT-L/14) and open_clip (ViT-B/16, RN50): embeddings,
 * logits, one training step. Run: npm run bench:parity [MODEL...]. Needs Python with both (TBAR_PYTHON), 8 GB of memory and of
 * TBAR_SCRATCH (default: the temporary folder).
 */
import { compareFullSize, type FullSizeModel, fullSizeModels } from "./full-size.ts";
import { type Bar, type Row, row, writeResults } from "./results.ts";

const seed = 1;
const asked = process.argv.slice(2) as FullSizeModel[];
const figure = (what: string, value: number, bar: Bar | null = null): Row => row(what, value, [value, value], bar);

const rows: Row[] = [];
for (const name of asked.length > 0 ? asked : fullSizeModels) {
  console.error(name);
  const { cosine, embeddings, logits, loss, gradient, rounding, after } = await compareFullSize(name, seed);
  rows.push(
    figure(`${name}: embeddings, 1 - least cosine`, 1 - cosine, { op: "<=", limit: 1e-6 }),
    figure(`${name}: embeddings, max |a - b| / max |b|`, embeddings, { op: "<=", limit: 1e-4 }),
    figure(`${name}: logits, max |a - b| / max |b|`, logits, { op: "<=", limit: 1e-4 }),
    figure(`${name}: training step, loss, |a - b| / b`, loss),
    figure(`${name}: training step, gradient, |a - b| / |b|`, gradient),
    figure(`${name}: the same of Python's float32 against its float64`, rounding),
    figure(`${name}: training step, weights after, worst tensor, max |a - b| / max |b|`, after),
  );
}
writeResults("parity", { command: "npm run bench:parity", seeds: [seed], rows });
process.exit(0);
