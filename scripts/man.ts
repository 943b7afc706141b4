/** dist/tbar.1, the manual page that npm installs. Run: npm run man, after npm run build. */
import { writeFileSync } from "node:fs";
import { manual } from "../src/cli/manual.ts";
import { outlineOf } from "../src/cli/outline.ts";
import { createProgram } from "../src/cli/program.ts";
import { version } from "../src/files/version.ts";

const nowhere = { write: () => {} };
const program = await createProgram([], async () => {}, { out: nowhere, err: nowhere }, true);
writeFileSync("dist/tbar.1", manual(outlineOf(program), version));
