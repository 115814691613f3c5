// The report's style sheet: system fonts, light and dark by preference, narrow screens and paper.

/** CSS of report.html; colours are named once and switched by `prefers-color-scheme`. */
export const styles: string = `
:root { color-scheme: light dark;
  --page: #ffffff; --panel: #f6f7f9; --ink: #1b2027; --soft: #5b6470; --edge: #d9dde3;
  --inner: #0f766e; --outer: #2454c6; --gradient: #b45309; --shrink: #a9b2bf; --weight: #2454c6;
  --baseline: #6b7280; --baseline-2: #b45309; --search: #2454c6; --good: #e8f0ff; }
@media screen and (prefers-color-scheme: dark) { :root {
  --page: #14171c; --panel: #1c2027; --ink: #e6e9ee; --soft: #a0a9b6; --edge: #343b46;
  --inner: #4fd1c5; --outer: #7aa5ff; --gradient: #f3b061; --shrink: #5d6878; --weight: #7aa5ff;
  --baseline: #9aa3b0; --baseline-2: #f3b061; --search: #7aa5ff; --good: #1e2b47; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 940px; margin: 0 auto; padding: 32px 20px 48px; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 40px 0 8px; }
p { margin: 8px 0; max-width: 46rem; overflow-wrap: anywhere; }
.subtitle, .small { color: var(--soft); }
.small { font-size: 0.85rem; }
.verdict { background: var(--good); border-left: 4px solid var(--outer); border-radius: 4px;
  padding: 10px 14px; margin: 16px 0; }
.verdict p { margin: 4px 0; }
.warning { border-left-color: var(--gradient); background: var(--panel); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 0.89rem; font-variant-numeric: tabular-nums; }
th, td { padding: 7px 8px; border-bottom: 1px solid var(--edge); text-align: right; white-space: nowrap; }
th { font-weight: 600; color: var(--soft); font-size: 0.85rem; white-space: normal; vertical-align: bottom; }
th:first-child, td:first-child { text-align: left; padding-left: 0; white-space: normal; min-width: 9em; }
td.best { font-weight: 700; }
.facts th, .facts td { text-align: left; white-space: normal; overflow-wrap: anywhere; padding-left: 0; }
.facts th { width: 13em; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 320px), 1fr)); gap: 16px; }
.chart { margin: 12px 0 0; min-width: 0; max-width: 520px; }
figcaption { font-weight: 600; font-size: 0.92rem; margin-bottom: 4px; }
.chart svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--soft); font-size: 11.5px; font-family: inherit; }
svg text.row { fill: var(--ink); font-size: 12px; } svg text.strong { font-weight: 700; }
svg .grid { stroke: var(--edge); stroke-width: 1; } svg .base, svg .tickmark { stroke: var(--soft); }
svg .mark { stroke: var(--soft); stroke-dasharray: 3 3; }
svg .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
svg .line.inner { stroke: var(--inner); } svg .line.outer { stroke: var(--outer); }
svg .line.gradient { stroke: var(--gradient); }
svg .dot.inner { fill: var(--inner); } svg .dot.outer { fill: var(--outer); } svg .dot.gradient { fill: var(--gradient); }
svg .whisker { stroke-width: 2.5; stroke-linecap: round; } svg .split { opacity: 0.35; }
svg .whisker.baseline { stroke: var(--baseline); } svg .whisker.baseline-2 { stroke: var(--baseline-2); } svg .whisker.search { stroke: var(--search); }
svg circle.baseline { fill: var(--baseline); } svg circle.baseline-2 { fill: var(--baseline-2); } svg circle.search { fill: var(--search); }
.bars { font-size: 0.88rem; margin: 12px 0; }
.bar-row { display: grid; grid-template-columns: minmax(0, 13em) minmax(0, 3fr) minmax(0, 2fr);
  column-gap: 14px; align-items: center; padding: 2px 0; break-inside: avoid; }
.bar-head { color: var(--soft); font-weight: 600; border-bottom: 1px solid var(--edge); margin-bottom: 4px; }
.bar-name { overflow: hidden; overflow-wrap: anywhere; line-height: 1.25; display: -webkit-box;
  -webkit-box-orient: vertical; -webkit-line-clamp: 2; line-clamp: 2; }
.bar-name small { color: var(--soft); }
.bar-cell { display: flex; align-items: center; gap: 8px; font-variant-numeric: tabular-nums; }
.bar { flex: 1; height: 11px; min-width: 0; border-radius: 2px; }
.bar-value { flex: none; width: 4.6em; white-space: nowrap; color: var(--soft); }
.track { fill: var(--panel); } .bar .shrink { fill: var(--shrink); } .bar .weight { fill: var(--weight); }
.notes li { margin: 4px 0; overflow-wrap: anywhere; }
pre { background: var(--panel); border: 1px solid var(--edge); border-radius: 4px; padding: 10px 12px;
  font-size: 0.85rem; white-space: pre-wrap; overflow-wrap: anywhere; }
footer { margin-top: 40px; color: var(--soft); font-size: 0.85rem; }
@media (max-width: 560px) { main { padding: 20px 14px 32px; }
  .bar-row { grid-template-columns: minmax(0, 7.5em) minmax(0, 1fr) minmax(0, 1fr); column-gap: 8px; }
  .bar-value { width: 3.6em; font-size: 0.8rem; } .bar-cell { gap: 5px; } .facts th { width: 8.5em; }
  .bar-name small { display: none; } .bar-name { -webkit-line-clamp: 3; line-clamp: 3; } }
@media screen and (max-width: 760px) {
  .methods thead { display: none; } .methods tr { display: block; padding: 8px 0; border-bottom: 1px solid var(--edge); }
  .methods td { display: flex; justify-content: space-between; gap: 12px; border: 0; padding: 2px 0; }
  .methods td::before { content: attr(data-label); color: var(--soft); }
  .methods td:first-child { font-weight: 600; } .methods td:first-child::before { content: none; } }
@media print { :root { color-scheme: light; --page: #fff; --ink: #000; --soft: #444; --edge: #bbb; }
  body { font-size: 11pt; } main { max-width: none; padding: 0; }
  section, figure, .verdict { break-inside: avoid; } section.long { break-inside: auto; }
  h2 { break-after: avoid; } .scroll { overflow: visible; }
  table { font-size: 9pt; } th { font-size: 8.5pt; } th, td { padding: 4px 5px; }
  th:first-child, td:first-child { min-width: 0; } }
`;
