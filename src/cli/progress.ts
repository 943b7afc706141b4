/** Progress for eyes: one line redrawn on a terminal, now and then a plain line in a pipe. */
import type { Progress } from "../experiments/job.ts";
import { duration } from "../report/numbers.ts";
import type { Sink } from "./terminal.ts";

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

/** `now` in milliseconds. Time left is estimated from the steps of the stage so far, a resumed run's own steps only. */
export function progressLine(sink: Sink, now: () => number = () => performance.now()): ProgressLine {
  let current: { what: string; since: number; before?: number } | undefined;
  let shownAt = 0;

  const redraw = (text: string) => sink.write(`\r\x1b[K${text.slice(0, (sink.columns || 80) - 1)}`);
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
      else sink.write(`${what}\n`);
    },
    step(done, total, note) {
      if (current === undefined) return;
      current.before ??= done - 1;
      if (now() - shownAt < (sink.isTTY ? redrawEvery : plainEvery)) return;
      shownAt = now();
      const elapsed = (now() - current.since) / 1000;
      const left = (elapsed / (done - current.before)) * (total - done);
      const times = `${duration(elapsed)}, ${duration(left)} left`;
      const facts = [`${done}/${total}`, note, times].filter(Boolean).join("  ");
      if (sink.isTTY) redraw(`${current.what} ${bar(done / total)} ${facts}`);
      else sink.write(`${current.what}  ${facts}\n`);
    },
    say(line) {
      if (sink.isTTY && current !== undefined) sink.write("\r\x1b[K");
      sink.write(`${line}\n`);
      if (sink.isTTY && current !== undefined) redraw(`${current.what} ...`);
    },
    end: close,
  };
}

function bar(share: number): string {
  const full = Math.round(Math.min(1, share) * barWidth);
  return `[${"#".repeat(full)}${".".repeat(barWidth - full)}]`;
}
