/**
 * How many images of 224 x 224 each trigger stamps in a second of processor time, all threads counted: what one core does, whoever
 * else is at work on the machine. The result goes to memory that is there already, and once to fresh memory. Run: npm run
 * bench:pixels.
 */
import { makeTrigger, parseTriggerSpec } from "../src/attacks/index.ts";
import { random } from "../src/tensor/random.ts";
import { tensor } from "../src/tensor/tensor.ts";
import { atLeast, type Bar, median, rated, writeResults } from "./results.ts";

const fresh = ", to fresh memory";
const triggers: readonly (readonly [spec: string, bar: Bar | null])[] = [
  ["badnet:place=bottom-right,redraw=false", atLeast(1500)],
  ["badnet", null],
  ["stripes", null],
  ["blended:redraw=false", atLeast(1500)],
  ["blended:redraw=false,quantise=true", null],
  ["blended:pattern=uniform", atLeast(600)],
  ["blended:pattern=gaussian", atLeast(250)],
  ["sig", atLeast(1500)],
  [`sig${fresh}`, null],
  ["triangles", atLeast(1500)],
  ["text", atLeast(1500)],
  ["blended-stripes:redraw=false", atLeast(1500)],
  ["blended-stripes", null],
  ["wanet", atLeast(800)],
  ["wanet:k=4,s=0.5", atLeast(800)],
  ["wanet:k=4,s=0.5,noise=true", null],
];
const [rounds, batches, batch] = [15, 8, 16];

const pixels = tensor([batch, 3, 224, 224]);
random(1).fillUniform(pixels.data);
const memory = pixels.data.slice();
const cases = triggers.map(([what, bar]) => ({
  what,
  bar,
  trigger: makeTrigger(parseTriggerSpec(what.replace(fresh, ""))),
  memory: what.endsWith(fresh) ? undefined : memory,
  rates: [] as number[],
}));
for (let round = -1; round < rounds; round++) {
  for (const { trigger, memory, rates } of cases) {
    const start = process.cpuUsage();
    for (let b = 0; b < batches; b++) {
      const ids = Array.from({ length: batch }, (_, i) => `${round}, ${b}, ${i}`);
      await trigger.apply(pixels, ids, memory);
    }
    const { user, system } = process.cpuUsage(start);
    if (round >= 0) rates.push((batches * batch) / ((user + system) / 1e6)); // round -1 warms up
  }
}
writeResults("pixels", {
  command: "npm run bench:pixels",
  seeds: [],
  rows: cases.map(({ what, bar, rates }) => rated(`${what}: images a second`, median(rates), bar)),
});
