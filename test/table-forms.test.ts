/** Tables of the documents that judge: what is bold and what is counted follows from the intervals. */
import { expect, test } from "vitest";
import { besideTbar, type Rows } from "../scripts/table-forms.ts";

const row = (what: string, seed: number | undefined, value: number, interval: readonly [number, number]) => ({
  what,
  ...(seed !== undefined && { seed }),
  ...{ value, interval, bar: null, met: null },
});

test("differences to TBAR's best: of one seed its own interval, of several that of their mean", () => {
  const rows: Rows = [
    row("sig, seed 31: CA less TBAR's best, par", 31, -0.04, [-0.06, -0.02]),
    row("sig, seed 31: ASR less TBAR's best, par", 31, 0.001, [-0.004, 0.006]),
    row("sig, mean of 1: CA less TBAR's best, par", undefined, -0.04, [-0.04, -0.04]),
    row("sig, mean of 1: ASR less TBAR's best, par", undefined, 0.001, [0.001, 0.001]),
    row("wanet, seed 31: CA less TBAR's best, par", 31, 0.05, [0.03, 0.07]),
    row("wanet, seed 32: CA less TBAR's best, par", 32, -0.05, [-0.07, -0.03]),
    row("wanet, mean of 2: CA less TBAR's best, par", undefined, 0, [-0.05, 0.05]),
    row("wanet, seed 31: ASR less TBAR's best, par", 31, -0.02, [-0.03, -0.01]),
    row("wanet, seed 32: ASR less TBAR's best, par", 32, -0.04, [-0.05, -0.03]),
    row("wanet, mean of 2: ASR less TBAR's best, par", undefined, -0.03, [-0.04, -0.02]),
    row("wanet, mean of 2: CA retention, par", undefined, 0.9, [0.8, 1]),
  ];
  expect(besideTbar(rows)).toEqual([
    "| CA / ASR, points to TBAR's best | sig | wanet | better | level | mixed | worse |",
    "|---|---|---|---|---|---|---|",
    "| par | **−4.0** / +0.1 | ±0.0 / **−3.0** | 1 | 0 | 0 | 1 |",
  ]);
});
