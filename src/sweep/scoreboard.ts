/** Progress of many jobs side by side as that of one: seconds of work done, of all there is. */
import type { Progress } from "../jobs/context.ts";
import { type Part, shareDone } from "../jobs/progress/stages.ts";

export interface Scoreboard {
  /** Steps that are still to be run, by their id. */
  expect(ids: readonly string[]): void;
  /** What a step of this id took: others like it will take as long. */
  learn(id: string, seconds: number): void;
  /** A step begins; what its job tells is counted in. */
  begin(id: string, unit: string): { readonly progress: Progress; end(): void };
}

/** Of a step like which none is known. */
const unknownSeconds = 60;

export function scoreboard(progress: Progress): Scoreboard {
  const waiting: string[] = [];
  const times = new Map<string, number[]>();
  const running = new Set<{ readonly id: string; readonly unit: string; share: number }>();
  const ended: string[] = [];
  let isTold = false;

  const average = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const weight = (id: string) => {
    const own = times.get(id);
    if (own !== undefined) return average(own);
    return times.size === 0 ? unknownSeconds : average([...times.values()].map(average));
  };
  const show = () => {
    if (!isTold) progress.stage("sweep");
    isTold = true;
    const sum = (ids: readonly string[]) => ids.reduce((seconds, id) => seconds + weight(id), 0);
    const begun = [...running].reduce((seconds, { id, share }) => seconds + share * weight(id), 0);
    const total = sum(ended) + sum(waiting) + sum([...running].map(({ id }) => id));
    const names = [...running].map(({ id, unit }) => `${unit}: ${id}`).join("; ");
    const steps = ended.length + waiting.length + running.size;
    progress.step(
      Math.round(sum(ended) + begun),
      Math.round(total),
      `s of work, ${ended.length} of ${steps} steps; ${names}`,
    );
  };
  return {
    expect(ids) {
      waiting.push(...ids);
    },
    learn(id, seconds) {
      times.set(id, [...(times.get(id) ?? []), seconds]);
    },
    begin(id, unit) {
      const at = waiting.indexOf(id);
      if (at >= 0) waiting.splice(at, 1);
      const one = { id, unit, share: 0 };
      running.add(one);
      let parts: readonly Part[] = [];
      let stage = "";
      show();
      return {
        progress: {
          stage: (what) => {
            stage = what;
          },
          plan: (stages) => {
            parts = stages;
          },
          step(done, total) {
            one.share = Math.max(one.share, shareDone(parts, stage, done / total) ?? 0);
            show();
          },
        },
        end() {
          running.delete(one);
          ended.push(id);
          show();
        },
      };
    },
  };
}
