/** A scan as one HTML file: verdict, findings, recovered triggers, statistics. */
import type { ScanResult } from "../../results/scan.ts";
import { documentOf } from "../document.ts";
import { type Html, html } from "../html.ts";
import { fileName, section } from "../page.ts";
import { opened, runSection } from "../run.ts";
import { styles } from "./style.ts";
import { detectors, findings, suspects } from "./tables.ts";
import { triggers } from "./triggers.ts";
import { verdict } from "./verdict.ts";

/** The whole page. The same result gives the same bytes; text of the result is escaped wherever it stands. */
export function scanReport(result: ScanResult): string {
  return documentOf({
    name: fileName(result.model.path),
    answer: result.verdict,
    created: result.created,
    body: html`${verdict(result)}${triggers(result)}${suspects(result)}${detectors(result)}${findings(result)}${meaning(result)}${opened(result)}${run(result)}`,
    footer: html`Made by tbar ${result.tbar}.`,
    styles,
  });
}

function meaning({ calibration, verdict }: ScanResult): Html {
  return section(
    "How to read this",
    undefined,
    html`<dl class="terms">
<div><dt>The verdict</dt><dd>It is on the weights alone. What the model's metadata say of it is not read: neither a declared backdoor nor a receipt of a cleaning changes the verdict.</dd></div>
<div><dt>Probability</dt><dd>That the model is backdoored, if half of all models were. ${calibration === undefined ? "It is absent here: no error rate is known for this architecture, and the statistics stand as they are." : `It follows from the statistics of ${calibration.models} clean and ${calibration.backdoored} backdoored models of ${calibration.family}.`}</dd></div>
<div><dt>What a scan does not see</dt><dd>Triggers of other forms than those that were fitted; targets that are no class of the list it was given; backdoors that text sets off; attacks made to evade it. ${verdict === "no evidence" && "No evidence is no proof that there is none."}</dd></div>
<div><dt>What next</dt><dd>${verdict === "no evidence" ? "A full scan (without --quick), with --base where you have the model that it was made from." : html`Take the backdoor out with <code>tbar clean --unknown</code>, which scans again afterwards; or with a known trigger, <code>tbar clean</code>.`}</dd></div>
</dl>`,
  );
}

function run(result: ScanResult): Html {
  const { examples: _, ...json } = result;
  return runSection(result, [["Level", result.level]], json, result.model);
}
