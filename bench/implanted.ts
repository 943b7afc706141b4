/** Implant an attack in the embedded model, clean it, and keep what was measured: what the benches of science and of attacks share. */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import {
  type AttackResult,
  attack,
  type CleanResult,
  clean,
  type Scores,
  shapesModel,
  type Variant,
} from "../src/index.ts";
import { random } from "../src/tensor/random.ts";
import { classNames, labelSets } from "../src/world/shapes.ts";
import { type Row, row } from "./results.ts";

/** How an attack is implanted; what is left out is as `tbar attack` does it. */
export interface Implant {
  readonly lr?: number;
  readonly rate?: number;
  readonly images?: number;
  readonly epochs?: number;
  readonly boost?: number;
}

export interface Cell {
  readonly name: string;
  /** As on the command line. */
  readonly trigger: string;
  /** Another label set of the world than its 100 classes. */
  readonly data?: "shapes" | "shapes:shape";
  readonly attack: Implant;
}

export interface Run {
  readonly attack: AttackResult;
  readonly clean: Omit<CleanResult, "examples" | "triggerPicture">;
}

/** Two benches side by side, a thread each, do more than one that has both cores (280 images a second in place of 207 to 264). */
export const threads = Number(process.env.THREADS ?? 2);

export const progress = { stage: (what: string) => console.error(`  ${what}`), step: () => {} };

export function recipeOf({ lr = 5e-4, epochs = 4 }: Implant, seed: number) {
  return { lr, epochs, batch: 64, warmup: 0.1, weightDecay: 0, clip: 1, seed };
}

/** A target class, drawn by the seed. */
function targetOf(seed: number, classes: readonly string[]): string {
  return classes[random(seed, "target").int(classes.length)];
}

/** The run kept in `file`; where there is none it is made, and kept. */
export async function once<Kept = Run>(file: string, make: () => Promise<Kept>): Promise<Kept> {
  if (!existsSync(file)) writeFileSync(file, `${JSON.stringify(await make(), null, 1)}\n`);
  return JSON.parse(readFileSync(file, "utf8")) as Kept;
}

/** `model` is a folder for the backdoored checkpoint, gone afterwards. */
export async function implantAndClean(
  cell: Cell,
  seed: number,
  model: string,
  methods: readonly string[],
): Promise<Run> {
  const attack = await implant(cell, seed, model);
  const clean = await cleanOnce(cell, seed, model, methods);
  rmSync(model, { recursive: true });
  return { attack, clean };
}

/** The attack; the backdoored checkpoint stays in the folder `model`. */
export async function implant(cell: Cell, seed: number, model: string): Promise<AttackResult> {
  const { data = "shapes", attack: how } = cell;
  const { rate, images, boost } = how;
  const result = await attack({
    data,
    seed,
    progress,
    threads,
    model: shapesModel,
    trigger: `${cell.trigger}${cell.trigger.includes(":") ? "," : ":"}seed=${seed}`,
    target: targetOf(seed, data === "shapes" ? classNames : labelSets.shape),
    out: model,
    force: true,
    recipe: recipeOf(how, seed),
    ...(rate !== undefined && { rate }),
    ...(images !== undefined && { images }),
    ...(boost !== undefined && { boost }),
  });
  console.error(`  CA ${result.after.ca.value}, ASR ${result.after.asr.value}`);
  return result;
}

/** By each of the methods, the trigger known; without the pictures. */
export async function cleanOnce(
  { data = "shapes" }: Cell,
  seed: number,
  model: string,
  methods: readonly string[],
): Promise<Run["clean"]> {
  const cleaned = await clean({ data, seed, progress, threads, model, methods, reboundSteps: 0 });
  for (const [name, { after, retention, alpha, chosen, settings }] of Object.entries(cleaned.variants)) {
    const figures = `ASR ${after.asr.value.toFixed(4)}, retention ${retention.toFixed(4)}, alpha ${alpha.toPrecision(3)}`;
    console.error(`  ${chosen ? "*" : " "} ${name}: ${figures} ${JSON.stringify(settings)}`);
  }
  const { examples: _, triggerPicture: __, ...rest } = cleaned;
  return rest;
}

/** ASR and retention of the variants that were not chosen. */
export function otherRows(at: string, { before, method, variants }: Run["clean"]): Row[] {
  return Object.entries(variants)
    .filter(([name]) => name !== method)
    .flatMap(([name, variant]: [string, Variant]) => [
      row(`${at}: ASR after, ${name}`, variant.after.asr.value, variant.after.asr.interval),
      row(`${at}: CA retention, ${name}`, variant.retention, ratio(before, variant.after)),
    ]);
}

/** A 95 % interval of CA after / CA before on the same images, from the interval of CA after alone. */
export function ratio(before: Pick<Scores, "ca">, after: Pick<Scores, "ca">): [number, number] {
  return [after.ca.interval[0] / before.ca.value, after.ca.interval[1] / before.ca.value];
}

/** Mean and its 95 % interval over seeds (Student's t). */
export function meanOf(values: readonly number[]): { value: number; interval: [number, number] } {
  const n = values.length;
  const value = values.reduce((a, b) => a + b, 0) / n;
  if (n === 1) return { value, interval: [value, value] };
  const deviation = Math.sqrt(values.reduce((s, v) => s + (v - value) ** 2, 0) / (n - 1));
  const t = [12.706, 4.303, 3.182, 2.776, 2.571][n - 2] ?? 2;
  const half = (t * deviation) / Math.sqrt(n);
  return { value, interval: [value - half, value + half] };
}
