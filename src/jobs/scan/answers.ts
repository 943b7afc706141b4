/** What the model says of clean images: a class that it answers everywhere is no target that a trigger led to. */
import type { Images } from "../../detectors/detector.ts";
import type { ScanResult } from "../../results/scan.ts";
import { rate } from "../../stats/rate.ts";
import type { Prepared } from "./prepare.ts";

export function answersOf(sets: readonly Images[], { classNames, drawn }: Prepared): ScanResult["answers"] {
  const counts = new Array<number>(classNames.length).fill(0);
  const answers = sets.flatMap(({ answers = new Int32Array(0) }) => [...answers]);
  if (answers.length === 0) return { most: "", share: 0 };
  for (const label of answers) counts[label]++;
  const most = counts.indexOf(Math.max(...counts));
  const labels = [drawn.fit, drawn.held].flatMap((set) => Array.from({ length: set.size }, (_, i) => set.example(i).label)); // biome-ignore format: one line
  const isLabelled = labels.every((label) => label !== undefined);
  const hits = answers.filter((answer, i) => answer === labels[i]).length;
  return {
    most: classNames[most],
    share: counts[most] / answers.length,
    ...(isLabelled && { accuracy: rate(hits, answers.length) }),
  };
}
