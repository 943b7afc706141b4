/**
 * The style sheet of reports. Colours are variables, so that charts follow light, dark and print; a test computes the contrast of every pair
 * of text and ground. --ca and --asr tell two rates apart and mean nothing else; --good, --warn and --bad are kept for judgements.
 */
import { media } from "./style-media.ts";

export const style = `
:root {
  color-scheme: light dark;
  --page: #f7f7f5; --card: #ffffff; --ink: #1b1e23; --soft: #5c636d; --faint: #838a94; --line: #e3e4e6;
  --ca: #2257d6; --asr: #8e2f7a; --good: #17714a; --good-tint: #e9f5ee; --warn: #8a5000; --warn-tint: #fdf3df; --bad: #b3261e;
  --edge: rgb(20 24 32 / 0.12); --shadow: 0 1px 2px rgb(20 24 32 / 0.05), 0 4px 16px rgb(20 24 32 / 0.04);
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Liberation Sans", Arial, sans-serif;
  --mono: ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --page: #111316; --card: #191c20; --ink: #e9ebee; --soft: #a4abb5; --faint: #767e89; --line: #2c3036;
    --ca: #7ba3ff; --asr: #e79bd6; --good: #5fcf96; --good-tint: #14251d; --warn: #f2b84b; --warn-tint: #2a2112; --bad: #ff8f85;
    --edge: rgb(255 255 255 / 0.16); --shadow: none;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0 auto; padding: 1.5rem 1.5rem 3rem; max-width: 1088px; background: var(--page); color: var(--ink);
  font: 1rem/1.5 var(--sans); font-variant-numeric: tabular-nums; overflow-wrap: anywhere;
}
h1, h2, h3, p, ul, dl, dd, figure, pre { margin: 0; }
h1 { font-size: clamp(1.4rem, 3.4vw, 2rem); line-height: 1.25; font-weight: 650; letter-spacing: -0.015em; text-wrap: balance; }
h2 { font-size: 1.25rem; line-height: 1.3; font-weight: 650; letter-spacing: -0.01em; }
h3 { font-size: 0.8125rem; line-height: 1.4; font-weight: 500; color: var(--soft); }
small { display: block; font-size: 0.8125rem; line-height: 1.4; font-weight: 400; color: var(--soft); }
code, pre { font-family: var(--mono); font-size: 0.8125rem; }
a { color: inherit; }
section { margin-top: 3.5rem; }
.lead { margin-top: 0.4rem; max-width: 50rem; color: var(--soft); text-wrap: pretty; }
h2 + *, .lead + * { margin-top: 1.25rem; }
.faint { color: var(--soft); }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
:focus-visible { outline: 2px solid var(--ca); outline-offset: 2px; border-radius: 4px; }
header { display: flex; flex-wrap: wrap; gap: 0.25rem 0.75rem; align-items: baseline; font-size: 0.875rem; color: var(--soft); }
header .mark { font-weight: 700; color: var(--ink); letter-spacing: -0.01em; }
header time { margin-left: auto; }
footer { margin-top: 4rem; padding-top: 1rem; border-top: 1px solid var(--line); font-size: 0.8125rem; color: var(--soft); }

.verdict { --tone: var(--good); --tint: var(--good-tint); margin-top: 1rem; padding: 1.75rem 2rem; border-radius: 14px; background: var(--tint); }
.verdict.unverified { --tone: var(--warn); --tint: var(--warn-tint); }
.verdict .stamp {
  display: inline-block; margin-bottom: 0.75rem; padding: 0.2rem 0.7rem; border-radius: 99px; background: var(--tone);
  color: var(--tint); font-size: 0.8125rem; font-weight: 650; letter-spacing: 0.02em;
}
.verdict ul { margin-top: 0.9rem; padding-left: 1.1rem; color: var(--soft); max-width: 46rem; }
.verdict li::marker { color: var(--tone); }
.scope { display: grid; gap: 0.35rem; margin-top: 1.1rem; max-width: 54rem; font-size: 0.9375rem; }
.scope div { display: grid; grid-template-columns: 6rem 1fr; gap: 0.75rem; }
.scope dt { color: var(--soft); }
.scope b { font-weight: 600; }
.scope .missed { color: var(--warn); }
.scope .missed dt { color: inherit; font-weight: 600; }

.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 236px), 1fr)); gap: 1rem; margin-top: 1rem; }
.figures.n6 { grid-template-columns: repeat(auto-fit, minmax(min(100%, 290px), 1fr)); }
.figures > .unseen + .figure { margin-top: 0; }
.figure { padding: 1.1rem 1.25rem; border-radius: 14px; background: var(--card); box-shadow: var(--shadow); }
.figure .value { margin: 0.15rem 0 0.35rem; font-size: 1.875rem; line-height: 1.15; font-weight: 650; letter-spacing: -0.025em; white-space: nowrap; }
.figure .from { font-size: 1.0625rem; font-weight: 500; color: var(--soft); letter-spacing: 0; }
.figure .note { font-size: 0.8125rem; line-height: 1.45; color: var(--soft); }
.figure.good .value { color: var(--good); }
.figure.bad .value { color: var(--bad); }

.picture { display: block; width: 100%; aspect-ratio: 1; image-rendering: pixelated; background: var(--line); }
.picture { outline: 1px solid var(--edge); outline-offset: -1px; }
.picture.none { display: grid; place-items: center; font-size: 0.75rem; color: var(--soft); }
.trigger { display: flex; gap: 1.5rem 2rem; align-items: flex-start; }
.trigger figure { flex: none; width: 168px; }
.trigger .facts { flex: 1; }
.facts { display: grid; gap: 0; align-content: start; }
.facts, .terms { font-size: 0.9375rem; }
.facts div { display: grid; grid-template-columns: 6.5rem 1fr; gap: 1rem; padding: 0.4rem 0; border-bottom: 1px solid var(--line); }
.facts dt, .terms dt { color: var(--soft); }
.chips { display: flex; flex-wrap: wrap; gap: 0.35rem; }
.chips code { padding: 0.1rem 0.5rem; border: 1px solid var(--line); border-radius: 6px; background: var(--card); color: var(--soft); }
.chips b { font-weight: 600; color: var(--ink); }
.examples { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 440px), 1fr)); gap: 1rem; }
.example { padding: 1rem; border-radius: 14px; background: var(--card); box-shadow: var(--shadow); }
.example.wrong { outline: 1px solid var(--warn); outline-offset: -1px; }
.triple { display: grid; grid-template-columns: repeat(3, 1fr); gap: 0.3rem 0.5rem; }
.triple small { font-size: 0.75rem; }
.framed { position: relative; display: block; }
.framed i { position: absolute; outline: 1.5px solid #ffffff; box-shadow: 0 0 0 3px rgb(0 0 0 / 0.65); }
.tally { font-weight: 600; color: var(--good); }
.tally.missed { color: var(--warn); }
.tally + .examples { margin-top: 1rem; }
.example figcaption { display: flex; flex-wrap: wrap; gap: 0.1rem 1.1rem; margin-top: 0.75rem; font-size: 0.875rem; }
.example figcaption b { flex: 1 0 100%; font-weight: 600; }
.when { color: var(--soft); }
q { quotes: none; }
q.fooled { color: var(--bad); }
q.right { color: var(--good); }

.legend { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; font-size: 0.8125rem; color: var(--soft); }
.legend span { display: inline-flex; align-items: center; gap: 0.45rem; }
.legend i { width: 10px; height: 10px; background: var(--asr); }
.legend .ca i { border-radius: 50%; background: var(--ca); }
.legend .chosen i { width: 0; height: 14px; border-left: 1.5px solid var(--ink); background: none; }
.legend .bound i { width: 18px; height: 0; border-top: 1.5px dashed var(--soft); background: none; }
.panels { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 300px), 1fr)); gap: 1rem; margin-top: 1rem; }
.panel { display: flex; flex-direction: column; padding: 0.9rem 0.9rem 0.6rem; border-radius: 14px; background: var(--card); box-shadow: var(--shadow); font-size: 0.9375rem; }
.panel.best { outline: 2px solid var(--ca); outline-offset: -2px; }
.panel figcaption { display: flex; flex-wrap: wrap; gap: 0.1rem 0.4rem; align-items: center; }
.panel figcaption small { flex: 1 0 100%; }
.curves { display: block; width: 100%; height: auto; margin-top: auto; padding-top: 0.4rem; overflow: visible; }
.curves text { font: 11px var(--sans); fill: var(--soft); }
.grid { stroke: var(--line); }
.bound { stroke: var(--soft); stroke-dasharray: 3 3; }
.curves text.bound { stroke: none; fill: var(--soft); }
.reach { stroke: transparent; stroke-width: 14; pointer-events: all; }
.curves .tip { visibility: hidden; fill: var(--ink); }
.at:is(:hover, :focus) .tip { visibility: visible; }
.at:is(:hover, :focus) .reach { stroke: var(--line); stroke-width: 1.5; }
.at:is(:hover, :focus) :is(circle, rect) { stroke: var(--ink); stroke-width: 1.2; }
.values { margin-top: 0.2rem; font-size: 0.8125rem; }
.values table { margin-top: 0.3rem; font-size: 0.75rem; }
.values :is(th, td) { padding: 0.2rem 0.3rem; }
line.chosen { stroke: var(--ink); stroke-width: 1.2; }
.curves text.chosen { fill: var(--ink); font-weight: 600; }
svg.ca, svg .ca { --hue: var(--ca); }
svg.asr, svg .asr { --hue: var(--asr); }
.way { stroke: var(--hue); stroke-width: 1.5; opacity: 0.6; }
svg .before { --hue: var(--faint); }
.curves polyline { fill: none; stroke: var(--hue); stroke-width: 1.6; stroke-linejoin: round; }
.curves .band { fill: var(--hue); opacity: 0.14; }
.curves circle, .curves rect { fill: var(--hue); stroke: var(--card); stroke-width: 0.8; }

.tag { display: inline-block; padding: 0 0.5rem; border-radius: 99px; font-size: 0.75rem; line-height: 1.35rem; font-weight: 500; white-space: nowrap; color: var(--soft); border: 1px solid var(--line); }
.tag.best { color: var(--card); background: var(--ca); border-color: var(--ca); }
.tag.missed { color: var(--warn); border-color: currentColor; white-space: normal; border-radius: 0.7rem; }
td.missed { color: var(--warn); font-weight: 600; }
.card { border-radius: 14px; background: var(--card); box-shadow: var(--shadow); overflow: hidden; }
table { width: 100%; border-spacing: 0; font-size: 0.9375rem; }
th, td { padding: 0.6rem 0.75rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; font-weight: 400; overflow-wrap: break-word; }
th[scope="row"] { overflow-wrap: anywhere; }
.card th[scope="row"] { min-width: 10rem; }
.card td { white-space: nowrap; }
tr > :first-child { padding-left: 0; }
tr > :last-child { padding-right: 0; }
.card tr > :first-child { padding-left: 1.25rem; }
.card tr > :last-child { padding-right: 1.25rem; }
.card tbody:last-child tr:last-child > * { border-bottom: 0; }
.group th { padding-top: 1.5rem; font-size: 0.8125rem; font-weight: 500; color: var(--soft); }
.after { margin-top: 0.9rem; color: var(--soft); font-size: 0.9375rem; }
thead th, thead td { vertical-align: bottom; font-size: 0.8125rem; font-weight: 500; color: var(--soft); }
.number { text-align: right; white-space: nowrap; }
.axis { display: flex; justify-content: space-between; width: 150px; font-size: 0.6875rem; line-height: 1; color: var(--soft); }
th .axis { margin-top: 0.35rem; }
.strip { display: block; overflow: visible; }
td .strip { margin-top: 0.2rem; }
.track { stroke: var(--line); stroke-width: 1.5; }
.whisker { stroke: var(--hue); stroke-width: 5; stroke-linecap: round; opacity: 0.35; }
.strip circle { fill: var(--hue); stroke: var(--card); }
.strip .before circle { fill: var(--card); stroke: var(--hue); stroke-width: 1.5; }
.variants tr.best > * { background: color-mix(in srgb, var(--ca) 7%, transparent); }
.variants small { max-width: 15rem; }
.measures .drawn { width: 150px; }
.word.better { color: var(--good); font-weight: 600; }
.word.worse { color: var(--warn); font-weight: 600; }

.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); gap: 2rem 3rem; align-items: start; }
.terms div + div { margin-top: 0.9rem; }
.terms dt { font-weight: 500; color: var(--ink); }
.terms dd { color: var(--soft); }
.terms dd b { font-weight: 500; color: var(--ink); }
caption { padding-bottom: 0.3rem; text-align: left; font-weight: 500; }
.columns td, .columns th { padding-block: 0.4rem; }
.uses th { white-space: nowrap; }
.timings .bar { width: 45%; vertical-align: middle; }
.bar i { display: block; height: 8px; min-width: 2px; border-radius: 4px; background: var(--ca); opacity: 0.75; }
pre { padding: 1rem 1.25rem; border-radius: 10px; background: var(--card); box-shadow: var(--shadow); white-space: pre-wrap; line-height: 1.5; }
.command + *, .facts + .columns { margin-top: 1.5rem; }
details { margin-top: 1.5rem; }
summary { cursor: pointer; color: var(--soft); }
details script {
  display: block; margin-top: 0.75rem; padding: 1rem 1.25rem; max-height: 32rem; overflow: auto; border-radius: 10px;
  background: var(--card); box-shadow: var(--shadow); font: 0.8125rem/1.5 var(--mono); white-space: pre-wrap;
}

${media}`;
