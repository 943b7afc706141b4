/** What the style sheet of a scan's report has beside that of all reports. */
export const styles = `
:root { --bad-tint: #fdecea; }
@media screen and (prefers-color-scheme: dark) { :root { --bad-tint: #2d1716; } }
.verdict.backdoored { --tone: var(--bad); --tint: var(--bad-tint); }
.verdict.inconclusive { --tone: var(--warn); --tint: var(--warn-tint); }
.verdict .bad { color: var(--bad); }
.verdict .bad dt { color: inherit; font-weight: 600; }
.suspect { padding: 1.25rem; border-radius: 14px; background: var(--card); box-shadow: var(--shadow); }
.suspect + .suspect { margin-top: 1rem; }
.suspect > h3 { font-size: 1.0625rem; font-weight: 600; color: var(--ink); }
.suspect > h3 small { display: inline; margin-left: 0.5rem; }
.recovered { display: grid; grid-template-columns: 232px 1fr; gap: 1.25rem 2.5rem; margin-top: 0.9rem; }
.recovered > div:first-child { display: grid; grid-template-columns: 1fr 1fr; gap: 0.75rem; align-content: start; }
.recovered figcaption { margin-top: 0.2rem; font-size: 0.75rem; color: var(--soft); }
.stamped { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 270px), 1fr)); gap: 1.25rem 2rem; align-content: start; }
.answers { width: 100%; margin-top: 0.6rem; font-size: 0.8125rem; table-layout: fixed; }
.answers th, .answers td { padding: 0.15rem 0.4rem 0.15rem 0; border: 0; }
.answers thead th { font-size: 0.75rem; }
.answers td b { font-weight: 600; }
.answers :is(th, td) + :is(th, td) { padding-left: 0.6rem; }
.answers .taken { color: var(--bad); }
.answers span { float: right; color: var(--soft); padding-left: 0.3rem; }
@media screen and (max-width: 640px) { .recovered { grid-template-columns: 1fr; } }
@media print { .recovered { grid-template-columns: 120px 1fr; } .suspect { break-inside: avoid; outline: 1px solid var(--line); outline-offset: -1px; } .stamped { grid-template-columns: repeat(2, 1fr); } }
`;
