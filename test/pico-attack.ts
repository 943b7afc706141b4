/** What the stages of an attack are handed, on a pico CLIP: its loaded weights, textures of the world to poison. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AttackInput, ImplantInput } from "../src/attacks/attack.ts";
import { loadClip } from "../src/engine/clip.ts";
import { zeroShotHead } from "../src/engine/zero-shot.ts";
import { openSource } from "../src/jobs/inputs/source.ts";
import { poison } from "../src/triggers/poison.ts";
import type { Trigger } from "../src/triggers/trigger.ts";
import { writePico } from "./pico.ts";

export async function picoAttack(images: number, target = "striped"): Promise<AttackInput> {
  const folder = await mkdtemp(join(tmpdir(), "tbar-attack-"));
  await writePico(join(folder, "pico"));
  const clip = await loadClip(join(folder, "pico"), { threads: 1 });
  await rm(folder, { recursive: true });
  const { classNames = [], templates, sets } = await openSource("shapes:texture", { seed: 1 });
  return {
    clip,
    weights: clip.weights,
    head: await zeroShotHead(clip.encoder, clip.weights, classNames, templates),
    classNames,
    target,
    targetLabel: classNames.indexOf(target),
    clean: (await sets({ implant: images })).implant,
    seed: 1,
    report: () => {},
  };
}

export function picoImplant(input: AttackInput, trigger: Trigger, rate = 0.5, epochs = 1): ImplantInput {
  const recipe = { lr: 0.01, epochs, batch: 16, warmup: 0.1, weightDecay: 0, clip: 1, seed: 1 };
  const { clean, target, seed } = input;
  return { ...input, trigger, recipe, poisoned: poison(clean, { trigger, target, rate, seed }) };
}
