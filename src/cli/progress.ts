/** Progress for eyes: one line redrawn on a terminal, now and then a plain line in a pipe. */
import type { Progress } from "../jobs/context.ts";
import { type Part, shareDone, workOf } from "../jobs/progress/stages.ts";
import { duration } from "../report/numbers.ts";
import { printable } from "../tensor/printable.ts";
import { type Sink, screened } from "./terminal.ts";

export interface ProgressLine extends Progress {
  /** A line that stays. */
  say(line: string): void;
  /** Leaves the terminal ready for other words. */
  end(): void;
}

/** Milliseconds between lines of one stage in a pipe, and between redrawings on a terminal. */
const plainEvery = 10_000;
const redrawEvery = 100;
const barWidth = 20;

/**
 * `now` in milliseconds. Time left is that of the whole job where its stages are known beforehand, else of the stage; estimated from
 * what was done so far, by this run alone where it goes on from an earlier one.
 */
export function progressLine(sink: Sink, now: () => number = () => performance.now()): ProgressLine {
  let current: Current | undefined;
  let shownAt = 0;
  let planned: readonly Part[] = [];
  /** Where and when steps of planned stages began. */
  let began: { share: number; at: number } | undefined;
  let reached = 0;

  /** Seconds left of the job, or of the stage alone; undefined before anything can be said. */
  const left = (stage: { what: string; since: number; before: number }, done: number, total: number) => {
    const elapsed = (now() - stage.since) / 1000;
    const own = (elapsed / (done - stage.before)) * (total - done);
    const here = shareDone(planned, stage.what, done / total);
    if (here === undefined) return { seconds: own, of: "" };
    const share = Math.max(reached, here); // an earlier stage that comes again undoes nothing
    reached = share;
    began ??= { share: shareDone(planned, stage.what, stage.before / total) ?? 0, at: stage.since };
    const gone = share - began.share;
    if (gone <= 0) return { seconds: own, of: "" };
    return { seconds: ((now() - began.at) / 1000 / gone) * (1 - share), of: " in all" };
  };

  /** By stage: one that comes again goes on where it was. */
  const measured = new Map<string, Steps>();
  const stepsOf = (part: Part) => {
    const steps = measured.get(part.what) ?? stepsOver(workOf(part));
    measured.set(part.what, steps);
    return steps;
  };

  const redraw = (text: string) => sink.write(`\r\x1b[K${printable(text, 1000).slice(0, (sink.columns || 80) - 1)}`);
  const line = (text: string) => sink.write(`${screened(text)}\n`);
  const close = () => {
    if (current === undefined) return;
    if (sink.isTTY) redraw(`${current.what}  ${duration((now() - current.since) / 1000)}`);
    if (sink.isTTY) sink.write("\n");
    current = undefined;
  };
  return {
    stage(what) {
      close();
      current = { what, since: now() };
      shownAt = now();
      if (sink.isTTY) redraw(`${what} ...`);
      else line(what);
    },
    step(pass, of, note) {
      if (current === undefined) return;
      const part = planned.find(({ what }) => what === current?.what);
      const { done, total } = part?.measures ? stepsOf(part)(pass, of) : { done: pass, total: of };
      current.before ??= part?.measures ? 0 : done - 1;
      if (now() - shownAt < (sink.isTTY ? redrawEvery : plainEvery)) return;
      shownAt = now();
      const elapsed = (now() - current.since) / 1000;
      const rest = left({ ...current, before: current.before }, done, total);
      const times = `${duration(elapsed)}, ${duration(rest.seconds)} left${rest.of}`;
      // how many alphas a search takes shows only at its end
      const facts = [part?.searched === undefined && `${done}/${total}`, note, times].filter(Boolean).join("  ");
      if (sink.isTTY) redraw(`${current.what} ${bar(done / total)} ${facts}`);
      else line(`${current.what}  ${facts}`);
    },
    plan(stages) {
      planned = stages;
      measured.clear();
      began = undefined;
      reached = 0;
    },
    say(text) {
      if (sink.isTTY && current !== undefined) sink.write("\r\x1b[K");
      line(text);
      if (sink.isTTY && current !== undefined) redraw(`${current.what} ...`);
    },
    end: close,
  };
}

interface Current {
  readonly what: string;
  readonly since: number;
  before?: number;
}

type Steps = (done: number, total: number) => { readonly done: number; readonly total: number };

/** Steps of a whole stage from those of one set of images after another, so many images in all. */
function stepsOver(whole: number): Steps {
  let [passed, last] = [0, 0];
  return (done, total) => {
    if (whole <= total) return { done, total };
    if (done <= last) passed += last;
    last = done;
    return { done: Math.min(passed + done, whole), total: whole };
  };
}

function bar(share: number): string {
  const full = Math.round(Math.min(1, share) * barWidth);
  return `[${"#".repeat(full)}${".".repeat(barWidth - full)}]`;
}
