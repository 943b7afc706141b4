/** Waves of all frequencies across and down, tried one after another: no gradient is needed to find SIG's. */
import type { Stamped } from "./descend.ts";
import type { Detector, Suspected } from "./detector.ts";
import { headed } from "./fitted.ts";
import { sine, type Wave } from "./forms/sine.ts";
import { growthOf } from "./growth.ts";
import { asrOf, stampedAnswers } from "./invert.ts";

const frequencies = 12;
const amplitude = 0.2;
const [screened, measured] = [16, 64];

/** Every frequency both ways, in two phases where the first falls between the bars. */
const waves: readonly Wave[] = Array.from({ length: frequencies }, (_, i) => i + 1).flatMap((f) => [
  { amplitude, down: 0, across: f, phase: 0 },
  { amplitude, down: f, across: 0, phase: 0 },
  { amplitude, down: 0, across: f, phase: Math.PI },
]);

/** Those of which an image of S x S shows the bars. */
export const wavesOf = (S: number): readonly Stamped[] =>
  waves
    .filter(({ down, across }) => down + across < S / 2)
    .map((wave) => ({ form: sine(S, wave), parameters: new Float32Array(0) }));

export const sines: Detector = {
  name: "sine",
  title: "Waves",
  about: `waves of 1 to ${frequencies} periods across and down`,
  statistic: "highest growth of a class's share of the answers under a wave",
  needs: ["class names"],
  quick: true,
  cost: ({ held }) => ({
    gradients: 0,
    encoded: waves.length * Math.min(held, screened) + 3 * Math.min(held, measured),
  }),
  async run({ suspect, held, classNames, signal, report }) {
    const subject = headed(suspect);
    const before = held.answers as Int32Array;
    const S = suspect.clip.config.vision.imageSize;
    const forms = wavesOf(S);
    const growths: { readonly i: number; readonly label: number; readonly growth: number }[] = [];
    for (const [i, one] of forms.entries()) {
      signal?.throwIfAborted();
      const [after] = await stampedAnswers(subject, [one], held, screened);
      const of = growthOf(before, after, classNames.length);
      const label = of.indexOf(Math.max(...of));
      growths.push({ i, label, growth: of[label] });
      report?.((i + 1) * after.length);
    }
    const best = growths.sort((a, b) => b.growth - a.growth).slice(0, 3);
    const suspects = new Map<number, Suspected>();
    for (const { i, label } of best) {
      const [after] = await stampedAnswers(subject, [forms[i]], held, measured);
      const statistic = growthOf(before, after, classNames.length)[label];
      const asr = asrOf(label, before, after);
      if (statistic > (suspects.get(label)?.statistic ?? -1))
        suspects.set(label, { label, statistic, asr, trigger: forms[i].form.trigger(forms[i].parameters) });
    }
    const ranked = [...suspects.values()].sort((a, b) => b.statistic - a.statistic);
    return { statistic: ranked[0]?.statistic ?? 0, suspects: ranked, facts: { screened: best[0]?.growth ?? 0 } };
  },
};
