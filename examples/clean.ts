/** Clean a backdoored checkpoint with plain TBAR and write the report (few images, so that the example is quick). */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clean, report, shapesBadnetModel, shapesModel } from "tbar";

const result = await clean({
  model: shapesBadnetModel,
  cleanControl: shapesModel,
  data: "shapes",
  methods: ["plain"],
  sizes: { forget: 256, clean: 64, validation: 256, test: 256 },
  recovery: 0,
});
console.log(`${result.verdict.headline}: ASR ${result.before.asr.value} -> ${result.after.asr.value}`);
const file = join(mkdtempSync(join(tmpdir(), "tbar-")), "report.html");
writeFileSync(file, report(result));
console.log(`report: ${file}`);
