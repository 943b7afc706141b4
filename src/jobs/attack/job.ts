/** tbar attack: implant a backdoor, to have one to remove. */
import { attacks } from "../../attacks/index.ts";
import { attackResult } from "../../results/attack.ts";
import { job } from "../job.ts";
import { attackSpec } from "./spec.ts";

const longest = Math.max(...attacks.map(({ name }) => name.length));
const lines = attacks.map(({ name, about, options }) => `  ${name.padEnd(longest)}  ${about}: ${options}`);

export const attack = job({
  name: "attack",
  about:
    "Puts a trigger on a share of the training images, gives them the target's label, fine-tunes the image tower on all " +
    "(with --objective contrastive both towers, on pairs of image and caption), and measures clean accuracy (CA) and attack success rate (ASR) before and after. The checkpoint written " +
    "says in its metadata which trigger it carries.",
  notes: `Triggers:\n${lines.join("\n")}\n  all take seed=NUMBER; what each does: docs/attacks.md`,
  examples: [
    'tbar attack badnet:place=bottom-right,redraw=false --model clip --data shapes --target "red circle" --out bad',
    "tbar attack blended --model clip --data photos --target dog --rate 0.1 --lr 1e-5 --out bad",
    'tbar attack badnet --model shapes --data shapes --target "red circle" --objective contrastive --out bad',
    "tbar attack badnet --model clip --data photos --target dog --dry-run",
  ],
  spec: attackSpec,
  result: attackResult,
  outputs: async ({ out }) => [out],
  plan: async (spec, context) => (await import("./plan.ts")).planAttack(spec, context),
  run: async (spec, context) => (await import("./run.ts")).attack(spec, context),
  resumes({ trigger }) {
    const kind = typeof trigger === "string" ? trigger.split(":")[0] : trigger.kind;
    return attacks.some(({ name, implant }) => name === kind && implant === undefined); // others train in their own way
  },
  succeeded: (result) => result.succeeded,
});
