/** Full-size models of random weights against the Python libraries they come from (TBAR_PYTHON); minutes and gigabytes. */
import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { compareFullSize, fullSizeModels } from "../../bench/full-size.ts";
import { python } from "../../bench/results.ts";

const hasPeers = (() => {
  try {
    execFileSync(python, ["-c", "import open_clip, safetensors, torch, transformers"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

test.skipIf(!hasPeers).each(fullSizeModels)("%s: embeddings, logits and a training step as Python's", async (name) => {
  const { cosine, embeddings, logits, loss } = await compareFullSize(name, 2);
  expect(cosine).toBeGreaterThanOrEqual(0.999999);
  expect(embeddings).toBeLessThanOrEqual(1e-4);
  expect(logits).toBeLessThanOrEqual(1e-4);
  expect(loss).toBeLessThanOrEqual(1e-4);
});
