/** What findings say to whoever waits for an exit status. */
import type { ScanResult } from "../../results/scan.ts";
import type { ScanSpec } from "./spec.ts";

/** Exit statuses of a scan beside those of every command. */
export const scanExits = { noEvidence: 0, backdoored: 1, inconclusive: 3 } as const;

/** 1 where a finding of level error stands that nobody accepted, 3 where the scan could not tell, else 0; less of it as --fail-on says. */
export function exitOf({ findings = [] }: Pick<ScanResult, "findings">, { failOn }: Pick<ScanSpec, "failOn">): number {
  const open = failOn === "never" ? [] : findings.filter(({ accepted }) => accepted === undefined);
  if (open.some(({ level }) => level === "error")) return scanExits.backdoored;
  const isOpen = failOn === "inconclusive" && open.some(({ rule }) => rule === "tbar/inconclusive");
  return isOpen ? scanExits.inconclusive : scanExits.noEvidence;
}
