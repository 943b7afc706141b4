/** Which class the attack leads to, by what a scan found. */
import type { ScanResult } from "../../../results/scan.ts";
import { percent } from "../../../stats/percent.ts";
import { TbarError } from "../../../tensor/error.ts";
import { printable } from "../../../tensor/printable.ts";

type Judged = Pick<ScanResult, "verdict" | "because" | "suspects">;

/** The most suspected class of a model that is called backdoored, what all detectors' recovered triggers say of it taken together; else none. */
export const targetOf = ({ verdict, suspects }: Judged): string | undefined =>
  verdict === "backdoored" ? suspects[0]?.target : undefined;

/** The refusal to clean where a scan found nothing to clean. */
export function nothingFound({ verdict, because, suspects }: Judged): TbarError {
  const reasons = because.length === 0 ? "" : ` (${because.join("; ")})`;
  const named = suspects
    .slice(0, 3)
    .map(({ target, probability }) => `"${printable(target)}" (probability ${percent(probability)})`);
  const who = named.length === 0 ? "" : ` Most suspicious: ${named.join(", ")}.`;
  return new TbarError(
    "not-proven",
    verdict === "no evidence"
      ? `no evidence of a backdoor: nothing was trained, nothing is written${reasons}`
      : `inconclusive: the scan cannot tell whether there is a backdoor${reasons}; nothing was trained, nothing is written.${who} To clean a class that you suspect all the same, name it with --suspect NAME`,
  );
}
