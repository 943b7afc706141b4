/** Each NAME.wat -> NAME-wasm.ts beside it. Run after each change of the former: npm run wasm. */
import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { assemble } from "./assemble.ts";

for (const path of ["src/data/images/resample", "src/optim/adamw", "src/arithmetic/cholesky"]) {
  const name = basename(path);
  writeFileSync(
    `${path}-wasm.ts`,
    `/** ${name}.wat as \`npm run wasm\` assembles it. */
export const ${name}Wasm =
  "${await assemble(readFileSync(`${path}.wat`, "utf8"))}";
`,
  );
}
