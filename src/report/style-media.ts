/** What the style sheet of reports has for small screens, and for paper. */
export const media = `@media screen and (max-width: 640px) {
  body { padding: 1rem 1rem 2rem; }
  section { margin-top: 2.75rem; }
  .verdict { padding: 1.25rem; }
  .trigger { flex-direction: column; align-items: stretch; }
  .facts div { grid-template-columns: 5.5rem 1fr; }
  .card, .card tbody, .card tr, .card th { display: block; }
  .card thead, .card .drawn, .card td:empty { display: none; }
  .card tr { padding: 0.75rem 1.25rem; border-bottom: 1px solid var(--line); }
  .card tbody:last-child tr:last-child { border-bottom: 0; }
  .card tr > :is(th, td, :first-child, :last-child) { padding: 0.1rem 0; border: 0; text-align: left; }
  .card td { display: grid; grid-template-columns: 8rem 1fr; white-space: normal; }
  .card td::before { content: attr(data-label); grid-row: span 2; font-weight: 400; color: var(--soft); }
  .card td > .strip, .card td > small { grid-column: 2; }
  .card .group { padding-top: 1.5rem; }
  .variants tr.best { background: color-mix(in srgb, var(--ca) 7%, transparent); }
  .variants tr.best > * { background: none; }
  .variants small { max-width: none; }
}
@media print {
  @page { margin: 11mm; }
  :root { --page: #ffffff; --shadow: none; }
  html { font-size: 9.5px; }
  body { max-width: none; padding: 0; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  h1 { font-size: 1.75rem; }
  section, section.figures, footer { margin-top: 1.6rem; }
  h2 + *, .lead + *, .panels { margin-top: 0.7rem; }
  .lead { max-width: none; }
  .verdict { padding: 1rem 1.25rem; }
  .verdict ul, .scope { max-width: none; }
  .figure, .example, .panel, .card, pre { outline: 1px solid var(--line); outline-offset: -1px; }
  .figures, .figures.n6 { grid-template-columns: repeat(4, minmax(0, 1fr)); gap: 0.6rem; }
  .figures.n6 { grid-template-columns: repeat(3, minmax(0, 1fr)); }
  .figure { padding: 0.6rem 0.9rem; }
  .figure .value { font-size: 1.6rem; }
  .trigger figure { width: 76px; }
  .facts div { padding-block: 0.2rem; }
  .examples { grid-template-columns: repeat(4, minmax(0, 1fr)); gap: 0.6rem; }
  .example { padding: 0.6rem; }
  .example figcaption { margin-top: 0.3rem; }
  .panels { grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 0.6rem; }
  .panel { padding: 0.5rem; }
  .curves { max-height: 112px; }
  .measures small { display: inline; margin-left: 0.4rem; }
  .trigger .facts { grid-template-columns: 1fr 1fr; gap: 0 2rem; }
  .columns { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 1rem 2rem; }
  .terms div + div { margin-top: 0.4rem; }
  .strip, .axis, .measures .drawn { width: 110px; height: auto; }
  th, td { padding: 0.22rem 0.5rem; }
  .columns td, .columns th { padding-block: 0.1rem; }
  .group th { padding-top: 0.6rem; }
  pre { padding: 0.5rem 0.75rem; }
  .verdict, .figure, .example, .panel, .trigger, tr, .terms div { break-inside: avoid; }
  h2, .lead, .legend, caption, .tally { break-after: avoid; }
  details, .tip { display: none; }
}
`;
