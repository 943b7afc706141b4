/** What the style sheet of a map's report has beside that of all reports. */
export const styles = `
:root { --xi: #b23a06; }
@media screen and (prefers-color-scheme: dark) { :root { --xi: #ff9a5a; } }
h1 { margin-top: 1rem; }
h1 + .lead + .figures { margin-top: 1.25rem; }
sub { line-height: 0; font-size: 0.72em; }
.maps { display: grid; grid-template-columns: minmax(0, 1.94fr) minmax(0, 1fr); gap: 1rem; }
.maps .panel:first-child { grid-row: span 2; }
.maps .panel figcaption b { font-weight: 600; }
.map { display: block; width: 100%; height: auto; margin-top: 0.5rem; }
.map.xi { --hue: var(--xi); }
.map text { font: 8px var(--sans); fill: var(--soft); }
.map .name { fill: var(--ink); }
.map .sub { font-size: 6px; }
.panel:not(:first-child) .map text { font-size: 12px; }
.panel:not(:first-child) .map .sub { font-size: 9px; }
.cells rect { fill: var(--hue); }
.cells rect:hover { stroke: var(--ink); stroke-width: 1; }
.tick { stroke: var(--soft); stroke-width: 0.8; }
.zero { stroke: var(--ink); stroke-width: 0.6; opacity: 0.35; pointer-events: none; }
.diagonal { stroke: var(--ink); stroke-width: 0.8; stroke-dasharray: 3 3; opacity: 0.55; pointer-events: none; }
.frame { fill: none; stroke: var(--line); pointer-events: none; }
.halo, .region { fill: none; stroke-linecap: square; pointer-events: none; }
.halo { stroke: var(--card); stroke-width: 4; }
.region { stroke: var(--good); stroke-width: 2; }
.marks { fill: var(--card); stroke: var(--ink); stroke-width: 1.4; pointer-events: none; }
.marks path { stroke-linejoin: round; stroke-linecap: round; }
.scale { display: block; width: 100%; max-width: 26rem; height: auto; margin: 0.6rem 0 0.2rem; overflow: visible; }
.scale text { font: 11px var(--sans); fill: var(--soft); }
.scale rect { fill: var(--hue); }
.scale.xi { --hue: var(--xi); }
.scale .frame { fill: none; }
.keys { margin-top: 0.7rem; }
.keys b { font-weight: 400; }
.keys svg { width: 18px; height: 14px; overflow: visible; }
.lollipop { display: block; overflow: visible; }
.lollipop line { stroke: var(--line); stroke-width: 1.5; }
.lollipop .stem { stroke: var(--ca); stroke-width: 2; }
.lollipop circle { fill: var(--ca); }
.numbers { overflow-x: auto; }
.numbers td, .numbers th { padding: 0.15rem 0.35rem; text-align: right; font-size: 0.75rem; white-space: nowrap; overflow-wrap: normal; }
.numbers td.inside { color: var(--good); font-weight: 600; }
@media screen and (max-width: 640px) { .maps { grid-template-columns: 1fr; } }
`;
