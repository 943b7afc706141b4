import { describe, expect, it } from "vitest";
import { progressLine } from "./progress.ts";

/** A sink that keeps what it is told, and a clock that stands still. */
function told(terminal: { isTTY?: boolean; columns?: number } = {}) {
  const said: string[] = [];
  let time = 0;
  const line = progressLine({ ...terminal, write: (text) => said.push(text) }, () => time);
  return { line, text: () => said.join(""), wait: (seconds: number) => (time += 1000 * seconds) };
}

describe("in a pipe", () => {
  it("says each stage at once and its steps at most every ten seconds, with the time left", () => {
    const { line, text, wait } = told();
    line.stage("load");
    line.stage("train");
    for (let step = 1; step <= 30; step++) {
      wait(1);
      line.step(step, 100, "loss 0.5");
    }
    line.end();
    expect(text()).toBe(
      "load\ntrain\n" +
        "train  10/100  loss 0.5  10.0 s, 1 min 30 s left\n" +
        "train  20/100  loss 0.5  20.0 s, 1 min 20 s left\n" +
        "train  30/100  loss 0.5  30.0 s, 1 min 10 s left\n",
    );
  });

  it("a resumed run is judged by its own steps: 90 were there, 10 s a step from then on", () => {
    const { line, text, wait } = told();
    line.stage("train");
    wait(10);
    line.step(91, 100);
    expect(text()).toContain("train  91/100  10.0 s, 1 min 30 s left");
  });
});

describe("with the job's stages known beforehand", () => {
  const stages = [
    { what: "measure", encoded: 10 },
    { what: "train", trained: 20 },
    { what: "search", searched: 1, encoded: 22 },
  ]; // 10, 60 and 30 of 100

  it("the time left is that of the whole job", () => {
    const { line, text, wait } = told();
    line.plan?.(stages);
    line.stage("measure");
    for (let step = 1; step <= 10; step++) {
      wait(1);
      line.step(step, 10);
    }
    line.stage("train");
    for (let step = 1; step <= 5; step++) {
      wait(3);
      line.step(step, 20); // at the fourth 10 + 12 of 100 in 22 s
    }
    line.stage("write");
    wait(10);
    line.step(1, 2);
    expect(text()).toBe(
      "measure\nmeasure  10/10  10.0 s, 1 min 30 s left in all\n" +
        "train\ntrain  4/20  12.0 s, 1 min 18 s left in all\n" +
        "write\nwrite  1/2  10.0 s, 10.0 s left\n",
    );
  });

  it("a stage that goes over several sets has steps of its own, the first of them from zero", () => {
    const { line, text, wait } = told();
    line.plan?.([{ what: "measure", encoded: 200, measures: true }, stages[1], stages[1]]); // 200, 60 and 60 of 320
    line.stage("measure");
    for (const [done, total] of [
      [64, 100],
      [100, 100],
      [64, 100],
    ]) {
      wait(16);
      line.step(done, total);
    }
    line.stage("train");
    wait(10);
    line.step(20, 20);
    expect(text()).toBe(
      "measure\nmeasure  64/200  16.0 s, 1 min 4 s left in all\n" +
        "measure  100/200  32.0 s, 1 min 10 s left in all\nmeasure  164/200  48.0 s, 45.7 s left in all\n" +
        "train\ntrain  20/20  10.0 s, 13.4 s left in all\n",
    );
  });

  it("a search that comes again goes on where it was, and does not say how many steps it takes", () => {
    const { line, text, wait } = told();
    line.plan?.([{ what: "alpha", searched: 50, measures: true }]); // 400 images or so
    for (const _ of [1, 2]) {
      line.stage("alpha");
      wait(10);
      line.step(50, 50);
      line.stage("fisher");
    }
    expect(text()).toBe(
      "alpha\nalpha  10.0 s, 1 min 10 s left in all\nfisher\nalpha\nalpha  10.0 s, 1 min 0 s left in all\nfisher\n",
    );
  });

  it("a stage before that comes again undoes nothing", () => {
    const { line, text, wait } = told();
    line.plan?.(stages);
    line.stage("train");
    wait(30);
    line.step(1, 20); // 13 of 100: began at 10
    line.stage("search");
    wait(30);
    line.step(15, 30); // 85 of 100
    line.stage("train");
    wait(15);
    line.step(1, 20);
    expect(text()).toMatch(
      /search {2}.*s, 12\.0 s left in all\ntrain\ntrain {2}1\/20 {2}15\.0 s, 15\.0 s left in all\n$/,
    );
  });

  it("a resumed run is judged by its own steps", () => {
    const { line, text, wait } = told();
    line.plan?.(stages);
    line.stage("train");
    wait(15);
    line.step(16, 20); // from 10 + 45 to 10 + 48 of 100: 3 in 15 s, 42 are left
    expect(text()).toContain("train  16/20  15.0 s, 3 min 30 s left in all");
  });
});

describe("on a terminal", () => {
  it("redraws one line, leaves each finished stage with its time, and ends on a line of its own", () => {
    const { line, text, wait } = told({ isTTY: true, columns: 200 });
    line.stage("train");
    wait(1);
    line.step(1, 4);
    line.stage("write");
    wait(2);
    line.end();
    expect(text().replaceAll("\r\x1b[K", "<")).toBe(
      "<train ...<train [#####...............] 1/4  1.0 s, 3.0 s left<train  1.0 s\n<write ...<write  2.0 s\n",
    );
  });

  it("never wraps: a line is cut to the terminal's width", () => {
    const { line, text } = told({ isTTY: true, columns: 10 });
    line.stage("a stage with a long name");
    expect(text()).toBe("\r\x1b[Ka stage w");
  });

  it("a terminal of unknown width counts as 80 columns", () => {
    const { line, text } = told({ isTTY: true, columns: 0 });
    line.stage("x".repeat(100));
    expect(text()).toBe(`\r\x1b[K${"x".repeat(79)}`);
  });
});

it("steps before any stage and a second end say nothing", () => {
  const { line, text } = told();
  line.step(1, 2);
  line.end();
  line.end();
  expect(text()).toBe("");
});
