/** Which class the attack leads to, by what a scan found. */
import type { ScanResult } from "../../../results/scan.ts";
import { TbarError } from "../../../tensor/error.ts";

/** Held-out images that a recovered trigger has to carry to a class, for the detector to speak for it. */
const hit = 0.5;

/** The class that the triggers of most detectors lead to, by its name; undefined where a scan finds no backdoor. */
export function targetOf({
  verdict,
  calibration,
  suspects,
  detectors,
}: Pick<ScanResult, "verdict" | "calibration" | "suspects" | "detectors">): string | undefined {
  if (verdict === "no evidence") return undefined;
  if (verdict === "inconclusive" && calibration !== undefined) return undefined;
  const votes = new Map<string, { detectors: number; asr: number }>();
  for (const { suspects } of detectors) {
    for (const { target, asr } of suspects) {
      if (!((asr?.value ?? 0) >= hit)) continue;
      const { detectors, asr: sum } = votes.get(target) ?? { detectors: 0, asr: 0 };
      votes.set(target, { detectors: detectors + 1, asr: sum + (asr?.value ?? 0) });
    }
  }
  const ranked = [...votes].sort(([, a], [, b]) => b.detectors - a.detectors || b.asr - a.asr);
  return ranked[0]?.[0] ?? (verdict === "backdoored" ? suspects[0]?.target : undefined);
}

/** The refusal to clean where a scan found nothing to clean. */
export function nothingFound({ verdict, because }: Pick<ScanResult, "verdict" | "because">): TbarError {
  const reasons = because.length === 0 ? "" : ` (${because.join("; ")})`;
  return new TbarError(
    "not-proven",
    verdict === "no evidence"
      ? `no evidence of a backdoor: nothing was trained, nothing is written${reasons}`
      : `inconclusive: the scan found no target to clean${reasons}; nothing is written. If you suspect a class, name it with --suspect NAME`,
  );
}
