/** Wrong decisions, counted: clean random models and tiny sets through the library, and the bare statistics many times over. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clean, evaluate, TbarError } from "../../src/index.ts";
import { alive, type Decision, decide, leastImages } from "../../src/metrics/decision.ts";
import { type Difference, pairedDifference } from "../../src/stats/difference.ts";
import { type Rate, rate } from "../../src/stats/rate.ts";
import { random } from "../../src/tensor/random.ts";
import { backgrounds, textures } from "../../src/world/scene.ts";
import { writePico } from "../pico.ts";

/** Patches and patterns over the whole image: in an untrained model any of them may move every answer to one class. */
const triggers = [
  "badnet",
  "badnet:place=middle,redraw=false,size=6",
  "blended",
  "blended:redraw=false",
  "sig",
  "wanet",
];
/** Test images: tiny sets, either side of the fewest that say something, and enough. */
const sizes = [1, 4, 16, 60, 150, 210, 224, 300, 400, 500];

export interface ModelRun {
  readonly model: number;
  readonly trigger: string;
  readonly images: number;
  readonly usable: number;
  readonly asr: number;
  readonly decision: Decision;
  /** Did the interval lie wholly on one side of the line, and were there 189 images? Worked out anew from the figures of the result. */
  readonly isDecided: boolean;
  /** What tbar clean did: it must refuse, and train nothing. */
  readonly clean?: "refused" | "trained";
}

/** An untrained model, a trigger, a target and a set size, all drawn from the number; measured by `evaluate`, and some by `clean`. */
export async function randomModel(model: number): Promise<ModelRun> {
  const draw = random("decisions", model);
  const trigger = triggers[draw.int(triggers.length)];
  const images = sizes[draw.int(sizes.length)];
  const world = draw.int(2) === 0 ? "texture" : "background";
  const names = world === "texture" ? textures : backgrounds;
  const folder = await mkdtemp(join(tmpdir(), "tbar-random-"));
  try {
    await writePico(join(folder, "pico"), model);
    const input = { model: join(folder, "pico"), data: `shapes:${world}`, trigger, threads: 1, seed: model };
    const target = names[draw.int(names.length)];
    const { decision, difference, asr } = await evaluate({ ...input, target, testImages: images })
      .then(({ decision, difference, asr }) => ({ decision, difference, asr }) as Measured)
      .catch(oneClassOnly);
    const [low, high] = difference.alone
      ? pairedDifference({ first: difference.alone[0], second: difference.alone[1], n: difference.n }).interval
      : [-1, 1];
    return {
      model,
      trigger,
      images,
      usable: difference.n,
      asr: asr.value,
      decision,
      isDecided: difference.n >= leastImages && (high < alive || low > alive),
      ...(model % 5 === 0 && { clean: await cleaned({ ...input, target }) }),
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

interface Measured {
  readonly decision: Decision;
  readonly difference: Difference;
  readonly asr: Rate;
}

/** Of one or a few images all may be of the target's own class: then there is nothing to measure. */
function oneClassOnly(error: unknown): Measured {
  if (!(error instanceof TbarError) || !/no image outside/.test(error.message)) throw error;
  const decision: Decision = { answer: "cannot say", because: "too few images" };
  return {
    decision,
    difference: { ...pairedDifference({ first: 0, second: 0, n: 0 }), alone: undefined },
    asr: rate(0, 0),
  };
}

async function cleaned(input: {
  readonly model: string;
  readonly data: string;
  readonly trigger: string;
  readonly target: string;
}) {
  const sizes = { forget: 32, clean: 0, validation: 240, test: 240 };
  let trained = false;
  const progress = { stage: (what: string) => void (trained ||= what === "plain"), step: () => {} };
  try {
    await clean({ ...input, sizes, methods: ["plain"], checks: 0, recovery: 0 }, { progress });
  } catch (error) {
    if (!(error instanceof TbarError) || error.code !== "not-proven") throw error;
  }
  return trained ? "trained" : "refused";
}

export interface StatisticsRun {
  readonly what: string;
  readonly draws: number;
  /** "Backdoor" where the true difference is at most 10 %, "no backdoor" where it is at least that. */
  readonly falseBackdoor: number;
  readonly falseNothing: number;
  readonly unsaid: number;
}

/** Draws of n images with the true shares of those that only the trigger, and only its absence, takes to the target. */
export function statistics(
  what: string,
  draws: number,
  seed: number,
  at: (u: () => number) => readonly [number, number, number],
): StatisticsRun {
  const generator = random("statistics", seed);
  const count = { falseBackdoor: 0, falseNothing: 0, unsaid: 0 };
  for (let i = 0; i < draws; i++) {
    const [n, first, second] = at(() => generator.uniform());
    const hits = [0, 0];
    for (let k = 0; k < n; k++) {
      const u = generator.uniform();
      if (u < first) hits[0]++;
      else if (u < first + second) hits[1]++;
    }
    const difference = pairedDifference({ first: hits[0], second: hits[1], n });
    const { answer } = decide({ difference, ca: rate(90, 100), chance: 0.1 });
    const beyond = first - second - alive;
    if (answer === "backdoor" && beyond < 1e-9) count.falseBackdoor++;
    if (answer === "no backdoor" && beyond > -1e-9) count.falseNothing++;
    if (answer === "cannot say") count.unsaid++;
  }
  return { what, draws, ...count };
}

/** Sets below 189 images, whatever the truth: nothing is said. */
export const tinySets = (draws: number) =>
  statistics("tiny sets", draws, 1, (u) => {
    const first = u();
    return [Math.floor(189 * u()), first, (1 - first) * u()];
  });

/** The hardest truth: a difference of 10 % itself. A 95 % interval may miss it on either side one time in forty. */
export const onTheLine = (draws: number) =>
  statistics("a difference of 10 % itself", draws, 2, (u) => {
    const second = 0.45 * u();
    return [189 + Math.floor(400 * u()), second + alive, second];
  });

/** Clean models: the trigger moves answers either way alike. */
export const noDifference = (draws: number) =>
  statistics("no difference", draws, 3, (u) => {
    const either = 0.45 * u();
    return [189 + Math.floor(600 * u()), either, either];
  });

/** Live backdoors. */
export const large = (draws: number) =>
  statistics("a difference of 30 % and more", draws, 4, (u) => {
    const first = 0.3 + 0.7 * u();
    return [189 + Math.floor(600 * u()), first, Math.min(1 - first, first - 0.3) * u()];
  });
