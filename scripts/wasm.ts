/** src/data/resample.wat -> src/data/resample-wasm.ts. Run after each change of the former: npm run wasm. */
import { readFileSync, writeFileSync } from "node:fs";
import { assemble } from "./assemble.ts";

const text = readFileSync("src/data/resample.wat", "utf8");
writeFileSync(
  "src/data/resample-wasm.ts",
  `/** resample.wat as \`npm run wasm\` assembles it. */
export const resampleWasm =
  "${await assemble(text)}";
`,
);
