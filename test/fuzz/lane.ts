/** The process that `run.ts` watches: reads inputs one after the other and tells how each ended. lane.ts RUN FROM TO STEP */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { attempt } from "./attempt.ts";
import { input } from "./mutate.ts";
import { seeds } from "./seeds.ts";

const [run, from, to, step] = process.argv.slice(2).map(Number);
const root = mkdtempSync(join(process.env.TBAR_FUZZ_TMP ?? tmpdir(), "tbar-fuzz-"));
process.on("exit", () => rmSync(root, { recursive: true, force: true }));
process.on("disconnect", () => process.exit());
const sound = await seeds();
for (const seed of sound) await attempt({ seed, files: seed.files(seed.parts) }, root); // modules and libraries are loaded
for (let i = from; i < to; i += step) {
  const one = input(sound, run, i);
  const { message, ...found } = await attempt(one, root);
  const isNamed = found.outcome === "crashed" || found.seconds > 1 || found.growth > 100;
  process.send?.({
    i,
    reader: one.seed.reader,
    what: one.seed.what,
    ...found,
    message: isNamed ? message.slice(0, 2000) : "",
  });
}
process.send?.({ done: true }, () => process.exit());
