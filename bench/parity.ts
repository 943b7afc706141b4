/**
 * Full-size models of random weights against transformers (ViT-B/32, ViT-L/14) and open_clip (ViT-B/16, RN50): embeddings,
 * logits, one training step. Run: npm run bench:parity [MODEL...]. Needs Python with both (TBAR_PYTHON), 8 GB of memory and of
 * TBAR_SCRATCH (default: the temporary folder).
 */
import { compareFullSize, type FullSizeModel, fullSizeModels } from "./full-size.ts";
import { atMost, exact, type Row, writeResults } from "./results.ts";

const seed = 1;
const asked = process.argv.slice(2) as FullSizeModel[];

const rows: Row[] = [];
for (const name of asked.length > 0 ? asked : fullSizeModels) {
  console.error(name);
  const { cosine, embeddings, logits, loss, gradient, rounding, after } = await compareFullSize(name, seed);
  rows.push(
    exact(`${name}: embeddings, 1 - least cosine`, 1 - cosine, atMost(1e-6)),
    exact(`${name}: embeddings, max |a - b| / max |b|`, embeddings, atMost(1e-4)),
    exact(`${name}: logits, max |a - b| / max |b|`, logits, atMost(1e-4)),
    exact(`${name}: training step, loss, |a - b| / b`, loss),
    exact(`${name}: training step, gradient, |a - b| / |b|`, gradient),
    exact(`${name}: the same of Python's float32 against its float64`, rounding),
    exact(`${name}: training step, weights after, worst tensor, max |a - b| / max |b|`, after),
  );
}
writeResults("parity", { command: "npm run bench:parity", seeds: [seed], rows });
process.exit(0);
