/** A cleaning as one HTML file. */
import { tbar } from "../defenses/tbar.ts";
import type { CleanResult } from "../results/clean.ts";
import { beforeAndAfter } from "./checks.ts";
import { documentOf } from "./document.ts";
import { examples, trigger } from "./examples.ts";
import { html } from "./html.ts";
import { fileName } from "./page.ts";
import { rounds } from "./rounds.ts";
import { definitions, opened, run } from "./run.ts";
import { variantCurves, variantTable } from "./variants.ts";
import { verdict } from "./verdict.ts";
import { paperLink } from "./words.ts";

/** The whole page. The same result gives the same bytes; text of the result is escaped wherever it stands. */
export function cleanReport(result: CleanResult): string {
  return documentOf({
    name: fileName(result.model.path),
    answer: result.verdict.verified ? "verified" : "not verified",
    created: result.created,
    body: html`${verdict(result)}${rounds(result)}${trigger(result)}${examples(result)}${variantCurves(result)}${variantTable(result)}${beforeAndAfter(result)}${opened(result)}${definitions(result)}${run(result)}`,
    footer: html`Made by tbar ${result.tbar}. The method: ${tbar.title}, ${tbar.paper && paperLink(tbar.paper)}.`,
  });
}
