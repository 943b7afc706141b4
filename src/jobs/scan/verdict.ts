/** What the detectors' statistics say together. */
import type { DetectorResult, ScanResult } from "../../results/scan.ts";

export interface Evidence {
  readonly architecture: string;
  readonly detectors: readonly DetectorResult[];
  readonly answers: ScanResult["answers"];
}

export function verdictOf({ architecture }: Evidence): Pick<ScanResult, "verdict" | "because" | "suspects"> {
  return {
    verdict: "inconclusive",
    because: [`not calibrated: nothing is known of how clean models of this architecture (${architecture}) look`],
    suspects: [],
  };
}
