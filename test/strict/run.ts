/** npm run test:strict: 2,000 strangers in valid checkpoints of all layouts, to results/bench/strict.json. */
import fc from "fast-check";
import { row, writeResults } from "../../bench/results.ts";
import { fate, stranger } from "./strange.ts";

const seed = 1;
const all = fc.sample(stranger, { numRuns: 2000, seed });
const fates = new Map<string, number>();
const kinds = new Map<string, number>();
for (const one of all) {
  const found = await fate(one);
  if (found === "passed over")
    console.log(`passed over: ${one.kind} ${JSON.stringify(one.name)} in ${one.model.layout}`);
  fates.set(found, (fates.get(found) ?? 0) + 1);
  kinds.set(one.kind, (kinds.get(one.kind) ?? 0) + 1);
}
const of = (counts: ReadonlyMap<string, number>, name: string) => counts.get(name) ?? 0;
const exactly = (what: string, value: number, bar: Parameters<typeof row>[3] = null) =>
  row(what, value, [value, value], bar);
const share = (all.length - of(fates, "passed over")) / all.length;
const rows = [
  exactly("checkpoints with a random tensor or option", all.length, { op: ">=", limit: 2000 }),
  exactly("of them with a tensor", of(kinds, "tensor")),
  exactly("of them with an option", of(kinds, "option")),
  exactly("refused by its name", of(fates, "named")),
  exactly("refused for what it does to the rest", of(fates, "refused")),
  exactly("said", of(fates, "said")),
  exactly("share refused or said", share, { op: ">=", limit: 1 }),
];
writeResults("strict", { command: "npm run test:strict", seeds: [seed], rows, reference: null });
process.exit(rows.every(({ met }) => met !== false) ? 0 : 1);
