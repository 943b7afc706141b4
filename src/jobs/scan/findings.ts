/** Findings of weights and file in one list, those that are accepted marked. */
import { z } from "zod";
import { parseAs } from "../../files/files.ts";
import { readYaml } from "../../files/yaml.ts";
import { type Finding, findingOf } from "../../results/findings.ts";
import type { ScanResult } from "../../results/scan.ts";

type Judged = Pick<ScanResult, "verdict" | "because" | "probability" | "threshold" | "suspects">;

/** What the verdict on the weights says, as findings: one for each suspected target that passes the threshold, the first in any case. */
export function weightFindings({ verdict, because, threshold = 0, suspects }: Judged, sha256: string): Finding[] {
  if (verdict === "no evidence") return [];
  if (verdict === "inconclusive") return [findingOf("tbar/inconclusive", sha256, { message: because.join("; ") })];
  const sure = suspects.filter(({ probability }, i) => i === 0 || probability >= threshold);
  if (sure.length === 0) return [findingOf("tbar/backdoor", sha256, { message: because.join("; ") })];
  return sure.map(({ target, probability, detector, asr }) => {
    const rate = asr === undefined ? "" : `; the recovered trigger carries ${Math.round(100 * asr.value)} % of ${asr.n} other images there`;
    const message = `a backdoor to "${target}", probability ${probability.toFixed(3)} (${detector})${rate}`;
    return findingOf("tbar/backdoor", sha256, { message, target });
  }); // biome-ignore format: lines of text
}

const baseline = z.strictObject({
  accepted: z.array(
    z.looseObject({
      fingerprint: z.string().regex(/^[0-9a-f]{64}$/, "a fingerprint is 64 hexadecimal digits, as findings have it"),
      reason: z.string().min(1, "say why it is accepted").max(1000),
    }),
  ),
});

/** The reasons by fingerprint that a file of accepted findings holds. Throws `bad-input` on one of another form. */
export async function readBaseline(path: string): Promise<ReadonlyMap<string, string>> {
  const { value } = await readYaml(path, { bytes: 2 ** 20, aliases: 50, merge: false });
  const { accepted } = parseAs(baseline, value, `${path} is no list of accepted findings (accepted: fingerprint, reason)`); // biome-ignore format: one line
  return new Map(accepted.map(({ fingerprint, reason }) => [fingerprint, reason]));
}

/** The same findings, the accepted ones with the reason. */
export function accepting(findings: readonly Finding[], accepted: ReadonlyMap<string, string>): Finding[] {
  return findings.map((one) => {
    const reason = accepted.get(one.fingerprint);
    return reason === undefined ? one : { ...one, accepted: reason };
  });
}
