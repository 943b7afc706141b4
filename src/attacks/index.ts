/** The one place that maps the names people type to the leaves that do the work. */

import { z } from "zod";
import { badInput, unknownName } from "../tensor/error.ts";
import { printable } from "../tensor/printable.ts";
import { readInverted } from "../triggers/inverted-spec.ts";
import type { Trigger, TriggerSpec } from "../triggers/trigger.ts";
import type { Attack } from "./attack.ts";
import { attack as badclip } from "./badclip.ts";
import { badmerging } from "./badmerging.ts";
import { attack as badnet } from "./badnet.ts";
import { attack as blended } from "./blended.ts";
import { attack as blendedStripes } from "./blended-stripes.ts";
import { entangled } from "./entangled.ts";
import { firstOrder } from "./first-order.ts";
import { grond } from "./grond.ts";
import { labelConsistent } from "./label-consistent.ts";
import { attack as picture } from "./picture.ts";
import { attack as sampleSpecific } from "./sample-specific.ts";
import { attack as sig } from "./sig.ts";
import { attack as stripes } from "./stripes.ts";
import { attack as text } from "./text.ts";
import { attack as triangles } from "./triangles.ts";
import { attack as wanet } from "./wanet.ts";

/** Every attack, in the order of lists. A new one is a file and a word here. */
const list = [
  badnet,
  blended,
  wanet,
  sig,
  stripes,
  blendedStripes,
  triangles,
  text,
  badclip,
  badmerging,
  picture,
  sampleSpecific,
  grond,
  labelConsistent,
  entangled,
  firstOrder,
] as const;

export const attacks: readonly Attack[] = list;
export const attackNames: readonly string[] = attacks.map(({ name }) => name);

type Told<Spec> = Spec extends z.ZodObject ? z.input<Spec> & Pick<z.output<Spec>, "kind"> : never;
/** A trigger's spec as people write it: its kind, and whatever of its options is not as usual. */
export type AttackSpec = Told<(typeof list)[number]["spec"]>;

/** The same, checked and completed. */
export const triggerSpec = z.discriminatedUnion("kind", list.map(({ spec }) => spec) as never) as unknown as z.ZodType<
  TriggerSpec,
  AttackSpec
>;

/** A trigger from its spec, as stored in results, or from any part of it: `{ kind: "badnet", size: 5 }`. One that a scan recovered is no attack's. */
export function makeTrigger(spec: { readonly kind: string }): Trigger {
  if (spec.kind === "inverted") return readInverted(spec);
  return attackNamed(spec.kind).trigger({ ...spec });
}

export function attackNamed(kind: string): Attack {
  const attack = attacks.find(({ name }) => name === kind);
  if (attack === undefined) throw unknownName("attack", kind, attackNames);
  return attack;
}

/** What an attack says of itself; nothing of one that is not in the list. */
export function describedAttack(kind = ""): Partial<Pick<Attack, "title" | "about" | "paper">> {
  const known = attacks.find(({ name }) => name === kind);
  if (known === undefined) return {};
  const { title, about, paper } = known;
  return { title, about, ...(paper !== undefined && { paper }) };
}

/** Options of triggers whose values are image files. */
export const fileOptions = ["picture", "mask"] as const;

/** A trigger from a checkpoint's metadata, or another place that a stranger wrote: it may not name files of this machine. */
export function storedTrigger(
  spec: { readonly kind: string; readonly picture?: unknown; readonly mask?: unknown },
  whose = "the checkpoint's trigger",
): Trigger {
  if (spec.kind === "images") throw badInput(`${whose} was a folder of images; bring it yourself: --trigger FOLDER`);
  if (spec.kind === "inverted") return makeTrigger(spec); // its mask is no file
  const file = fileOptions.map((option) => spec[option]).find((value) => value !== undefined);
  if (file === undefined) return makeTrigger(spec);
  throw badInput(
    `${whose} is a picture, "${printable(String(file))}"; bring it yourself: --trigger takes the trigger.json beside the checkpoint, or ${printable(spec.kind)}:picture=FILE`,
  );
}

/** `badnet:size=5,place=top-left,redraw=false` -> the complete spec. Numbers, true and false are read as such. */
export function parseTriggerSpec(text: string): TriggerSpec {
  const [, kind, options] = /^([^:]*):?(.*)$/s.exec(text)!;
  const given = options === "" ? [] : options.split(",").map((pair) => keyAndValue(text, pair));
  const pairs = [["kind", kind] as const, ...given];
  const repeated = pairs.find(([key], i) => pairs.findIndex(([other]) => other === key) !== i);
  if (repeated !== undefined) throw badInput(`"${text}": ${repeated[0]} is given twice`);
  return makeTrigger({ kind, ...Object.fromEntries(pairs) }).spec;
}

function keyAndValue(text: string, pair: string): [string, string | number | boolean] {
  const at = pair.indexOf("=");
  if (at < 1) throw badInput(`"${text}": expected KIND:key=value,key=value and found "${pair}"`);
  return [pair.slice(0, at).trim(), plainValue(pair.slice(at + 1).trim())];
}

function plainValue(text: string): string | number | boolean {
  if (text === "true" || text === "false") return text === "true";
  return text !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}
