/** The task vector between two checkpoints: what the attack changed, and where. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { vector } from "tbar";

const out = join(mkdtempSync(join(tmpdir(), "tbar-")), "attack.safetensors");
const { norm, tensors, groups } = await vector.diff({ from: "shapes", to: "shapes-badnet", out });
console.log(`the attack moved ${tensors} tensors by ${norm.toFixed(2)} in all`);
for (const group of groups) console.log(`${group.name}: ${group.norm.toFixed(3)}`);
