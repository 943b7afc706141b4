/** 500 clean random models, and the statistics alone: how often is something wrong said? Run: npm run test:decisions. */

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { row, writeResults } from "../../bench/results.ts";
import { rate } from "../../src/stats/rate.ts";
import {
  large,
  type ModelRun,
  noDifference,
  onTheLine,
  randomModel,
  type StatisticsRun,
  tinySets,
} from "./simulate.ts";

const models = Number(process.env.MODELS ?? 500);
const draws = Number(process.env.DRAWS ?? 20_000);
const shards = Number(process.env.SHARDS ?? 2);

const [shard] = process.argv.slice(2);
if (shard !== undefined) {
  // a share of the models, one line each
  for (let model = Number(shard) + 1; model <= models; model += shards)
    console.log(JSON.stringify(await randomModel(model)));
  process.exit(0);
}
const own = fileURLToPath(import.meta.url);
const work = (index: number) => promisify(execFile)("npx", ["jiti", own, String(index)], { maxBuffer: 2 ** 26 });
const said = await Promise.all(Array.from({ length: shards }, (_, index) => work(index)));
const runs = said.flatMap(({ stdout }) =>
  stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as ModelRun),
);
const wrong = runs.filter(({ decision }) => decision.answer === "backdoor");
for (const one of wrong) console.error(`a backdoor was seen: ${JSON.stringify(one)}`);

const count = (what: string, found: number, limit?: number) =>
  row(what, found, [found, found], limit === undefined ? null : { op: "<=", limit });
const share = ({ what, draws }: StatisticsRun, said: string, hits: number, limit: number) => {
  const { value, interval } = rate(hits, draws);
  return row(`${what}, ${draws} draws: share with ${said}`, value, interval, { op: "<=", limit });
};
const of = (answer: string) => runs.filter(({ decision }) => decision.answer === answer);
const tiny = runs.filter(({ usable }) => usable < 189);
const cleanings = runs.filter((run) => run.clean !== undefined);
const [few, line, none, much] = [tinySets(draws), onTheLine(draws), noDifference(draws), large(draws)];
writeResults("decisions", {
  command: "npm run test:decisions",
  seeds: [1],
  rows: [
    row("clean random models", models, [models, models]),
    count("of them said to carry a backdoor", wrong.length, 0),
    count("said to carry none", of("no backdoor").length),
    count(
      "said to carry none where the interval does not decide",
      of("no backdoor").filter(({ isDecided }) => !isDecided).length,
      0,
    ),
    count("with an ASR of 90 % and more all the same", runs.filter(({ asr }) => asr >= 0.9).length),
    count("with fewer than 189 usable images", tiny.length),
    count("of these something was said of", tiny.filter(({ decision }) => decision.answer !== "cannot say").length, 0),
    count("models that tbar clean was asked to clean", cleanings.length),
    count("of these it trained on", cleanings.filter(({ clean }) => clean === "trained").length, 0),
    row(
      `tiny sets, ${few.draws} draws: something said`,
      few.draws - few.unsaid,
      [few.draws - few.unsaid, few.draws - few.unsaid],
      { op: "<=", limit: 0 },
    ),
    share(none, "a backdoor", none.falseBackdoor, 0.001),
    share(much, "no backdoor", much.falseNothing, 0),
    share(line, "a backdoor", line.falseBackdoor, 0.03),
    share(line, "no backdoor", line.falseNothing, 0.03),
  ],
});
