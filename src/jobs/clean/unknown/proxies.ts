/** Triggers that stand for the attack's own: every recovered one that leads to the target, in one. */
import { type Aimed, aimedCost, aimedFits } from "../../../detectors/aimed.ts";
import type { Subject } from "../../../detectors/detector.ts";
import type { InvertedSpec } from "../../../triggers/inverted.ts";
import type { Context } from "../../context.ts";
import { comparesWithBase } from "../../scan/evidence.ts";
import { imagesOf } from "../../scan/prepare.ts";
import type { Found } from "../../scan/run.ts";
import type { Open } from "./prepare.ts";

/** Held-out images that a proxy has to carry to the target; of none that do, the best one if it carries so many. */
const [hits, least] = [0.5, 0.2];
/** Of each form that so many hit at most are kept: what is alike adds little. */
const ofEachForm = 3;

/**
 * The triggers that lead to the class, from larger fits at it; none where no form does. Beside them those of a scan that a base helped to
 * recover: they lie where no fit on the model alone looks.
 */
export async function proxiesTo(
  { drawn, classNames }: Open,
  {
    subject,
    scan,
    target,
  }: { readonly subject: Subject; readonly scan: Pick<Found, "detectors">; readonly target: string },
  seed: number,
  { signal, progress }: Context,
): Promise<readonly Aimed[]> {
  const [fit, held] = [await imagesOf(drawn.fit, subject), await imagesOf(drawn.held, subject)];
  const cost = aimedCost();
  const report = (done: number) => progress.step(done, cost);
  const input = { suspect: subject, classNames, fit, held, seed, signal, report };
  const all = [...(await aimedFits(input, classNames.indexOf(target))), ...withBase(scan, target)];
  return kept(all.sort((a, b) => b.asr.value - a.asr.value));
}

/** What was recovered with a base, and how often it hits on the model itself. */
function withBase({ detectors }: Pick<Found, "detectors">, target: string): readonly Aimed[] {
  return detectors
    .filter(comparesWithBase)
    .flatMap(({ suspects }) => suspects)
    .flatMap(({ target: named, trigger, asr }) => (named === target && trigger && asr ? [{ trigger, asr }] : []));
}

/** Those that hit, the best of each form. */
export function kept(found: readonly Aimed[]): readonly Aimed[] {
  const best = found.filter(({ asr }) => asr.value >= hits);
  const some = best.length > 0 ? best : found.slice(0, 1).filter(({ asr }) => asr.value >= least);
  return some.filter((one, i) => {
    const alike = some.slice(0, i).filter(({ trigger }) => trigger.form === one.trigger.form);
    return alike.length < ofEachForm;
  });
}

/** All of them in one: each image gets one, as its id decides. */
export function inOne(proxies: readonly Aimed[], seed: number): InvertedSpec {
  const [{ trigger }] = proxies;
  return { kind: "inverted", form: "several", S: trigger.S, seed, parts: proxies.map(({ trigger }) => trigger) };
}
