/**
 * The panel's own style, all of it under `.ovr`, in the colours of the viewer's theme where that has them. A plain style
 * element, which a policy of `style-src 'unsafe-inline'` allows.
 */
export const css = `
.ovr {
  --ovr-text: hsl(var(--foreground, 0 0% 98%));
  --ovr-muted: hsl(215 20% 68%);
  --ovr-line: hsl(215 30% 30% / 0.6);
  --ovr-raised: hsl(215 40% 60% / 0.1);
  --ovr-accent: hsl(var(--primary, 214 98% 60%));
  --ovr-focus: hsl(191 74% 63%);
  box-sizing: border-box; min-height: 100%; padding: 12px; display: flex; flex-direction: column; gap: 18px;
  color: var(--ovr-text); font-size: 13px; line-height: 1.45;
}
.ovr *, .ovr *::before { box-sizing: border-box; }
.ovr p, .ovr h1, .ovr h2, .ovr h3, .ovr ul, .ovr dl, .ovr dd { margin: 0; padding: 0; }
.ovr section { display: flex; flex-direction: column; gap: 8px; }
.ovr h1 { font-size: 15px; font-weight: 600; margin-bottom: -8px; }
.ovr h2 { font-size: 13px; font-weight: 600; }
.ovr h3 { font-size: 13px; font-weight: 600; min-width: 0; overflow-wrap: anywhere; }
.ovr-count, .ovr h3 .ovr-muted { font-weight: 400; color: var(--ovr-muted); }
.ovr-muted { color: var(--ovr-muted); }
.ovr p.ovr-muted, .ovr-facts, .ovr-device, .ovr-notice { font-size: 12px; }
.ovr-strong { font-weight: 600; }
.ovr-number, .ovr-numbers td { font-variant-numeric: tabular-nums; }
.ovr-row { display: flex; align-items: center; justify-content: space-between; gap: 8px; }
.ovr-hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.ovr code { font-size: 0.95em; color: var(--ovr-text); }

.ovr-field { display: flex; flex-direction: column; gap: 4px; }
.ovr-field > span { font-size: 12px; color: var(--ovr-muted); }
.ovr select {
  width: 100%; height: 32px; padding: 0 8px; border: 1px solid var(--ovr-line); border-radius: 6px;
  background: hsl(215 50% 9%); color: inherit; font: inherit; cursor: pointer;
}
.ovr-button {
  display: inline-flex; align-items: center; justify-content: center; gap: 8px; min-height: 32px; padding: 0 12px;
  border: 1px solid var(--ovr-line); border-radius: 6px; background: var(--ovr-raised); color: inherit; font: inherit; font-weight: 500; cursor: pointer;
}
.ovr-button:hover:not(:disabled), .ovr-icon:hover { background: hsl(215 40% 60% / 0.2); }
.ovr-primary { background: var(--ovr-accent); border-color: transparent; color: hsl(215 90% 8%); font-weight: 600; }
.ovr-primary:hover:not(:disabled) { background: var(--ovr-accent); filter: brightness(1.12); }
.ovr-wide { flex: 1; }
.ovr-primary[aria-disabled='true'] { background: hsl(214 60% 30%); color: var(--ovr-text); cursor: default; }
.ovr-small { min-height: 28px; padding: 0 8px; font-size: 12px; }
.ovr button:disabled, .ovr select:disabled { opacity: 0.45; cursor: not-allowed; }
.ovr kbd { font: inherit; font-size: 11px; font-weight: 400; opacity: 0.75; white-space: nowrap; }
.ovr-icon {
  display: inline-flex; align-items: center; justify-content: center; flex: none; width: 28px; height: 28px; margin: -4px;
  border: 0; border-radius: 6px; background: none; color: inherit; font-size: 18px; line-height: 1; cursor: pointer;
}
.ovr button:focus-visible, .ovr select:focus-visible, .ovr input:focus-visible { outline: 2px solid var(--ovr-focus); outline-offset: 2px; }

.ovr-bar { height: 4px; border-radius: 2px; overflow: hidden; background: var(--ovr-raised); }
.ovr-bar > div { height: 100%; border-radius: 2px; background: var(--ovr-accent); transition: width 0.25s; }
.ovr-bar + p { margin-top: 6px; }
@media (prefers-reduced-motion: no-preference) {
  .ovr-busy { animation: ovr-pulse 1.4s ease-in-out infinite; }
}
@keyframes ovr-pulse { 50% { opacity: 0.45; } }

.ovr-message { padding: 8px 10px; border-radius: 6px; border-left: 3px solid; font-size: 12px; background: var(--ovr-raised); }
.ovr-message p { margin-top: 2px; overflow-wrap: anywhere; }
.ovr-error { border-color: hsl(2 85% 66%); }
.ovr-error .ovr-strong { color: hsl(2 90% 76%); }
.ovr-warning { border-color: hsl(40 90% 58%); }
.ovr-warning .ovr-strong { color: hsl(40 95% 68%); }

.ovr-message .ovr-button { margin-top: 6px; }

.ovr-badges { list-style: none; display: flex; flex-wrap: wrap; gap: 4px 6px; font-size: 12px; }
.ovr-badge { display: inline-block; padding: 1px 8px; border: 1px solid hsl(215 25% 55%); border-radius: 10px; color: var(--ovr-text); }
.ovr-badge-warning { border-color: hsl(40 90% 58%); color: hsl(40 95% 72%); font-weight: 600; }
.ovr-badge-detail { display: block; margin-top: 2px; color: var(--ovr-text); overflow-wrap: anywhere; }
.ovr-scores-head { padding-right: 6px !important; }
.ovr-info {
  width: 18px; height: 18px; padding: 0; border: 1px solid hsl(215 25% 55%); border-radius: 9px; background: none; color: inherit; font: inherit; font-size: 11px; line-height: 1; cursor: pointer;
}
.ovr-info:hover, .ovr-info[aria-expanded='true'] { color: var(--ovr-text); background: hsl(215 40% 60% / 0.2); }
.ovr-scores { list-style: none; display: flex; flex-direction: column; gap: 2px; }
.ovr-score {
  display: flex; flex-direction: column; gap: 4px; width: calc(100% + 12px); margin: 0 -6px; padding: 5px 6px;
  border: 1px solid transparent; border-radius: 6px; background: none; color: inherit; font: inherit; text-align: left; cursor: pointer;
}
.ovr-score:hover { background: hsl(215 40% 60% / 0.14); }
.ovr-score[aria-pressed='true'] { border-color: var(--ovr-focus); background: hsl(215 40% 60% / 0.14); }
.ovr-finding { min-width: 0; overflow-wrap: anywhere; }
.ovr-score-value { display: inline-flex; align-items: baseline; gap: 8px; flex: none; }
.ovr-positive { color: hsl(40 95% 72%); font-size: 12px; font-weight: 600; }
.ovr-track { position: relative; display: block; height: 8px; border-radius: 2px; background: hsl(215 40% 60% / 0.18); }
.ovr-fill { position: absolute; inset: 0 auto 0 0; min-width: 1px; border-radius: 2px; background: hsl(215 25% 62%); }
.ovr-fill-positive { background: repeating-linear-gradient(135deg, hsl(40 90% 58%) 0 4px, hsl(40 90% 46%) 4px 6px); }
.ovr-tick { position: absolute; top: -3px; bottom: -3px; width: 2px; margin-left: -1px; background: hsl(0 0% 100%); box-shadow: 0 0 0 1px hsl(215 60% 8%); }
.ovr-views { display: flex; flex-wrap: wrap; gap: 0 14px; font-size: 12px; }
.ovr-actions { display: flex; gap: 8px; }

.ovr-controls { display: flex; flex-direction: column; gap: 8px; }
.ovr-segmented { display: inline-flex; padding: 2px; border: 1px solid var(--ovr-line); border-radius: 6px; }
.ovr-segmented button { min-height: 22px; padding: 0 10px; border: 0; border-radius: 4px; background: none; color: var(--ovr-muted); font: inherit; font-size: 12px; cursor: pointer; }
.ovr-segmented button[aria-pressed='true'] { background: hsl(215 40% 60% / 0.25); color: var(--ovr-text); }
.ovr-slider { font-size: 12px; color: var(--ovr-muted); }
.ovr-controls .ovr-slider { flex: 1; min-width: 0; }
.ovr-slider input { flex: 1; min-width: 0; height: 16px; accent-color: var(--ovr-accent); cursor: pointer; }
.ovr-percent { width: 6ch; text-align: right; white-space: nowrap; }

.ovr-empty { display: flex; flex-direction: column; gap: 6px; align-items: flex-start; }
.ovr-results { list-style: none; display: flex; flex-direction: column; gap: 8px; }
.ovr-card { display: flex; flex-direction: column; gap: 6px; padding: 10px; border: 1px solid var(--ovr-line); border-radius: 8px; background: hsl(215 40% 60% / 0.06); }
.ovr-off { border-style: dashed; }
.ovr-off .ovr-swatch { opacity: 0.4; }
.ovr-source { margin-top: -4px !important; overflow-wrap: anywhere; }
.ovr-numbers { width: 100%; border-collapse: collapse; }
.ovr-numbers th { padding: 3px 8px 3px 0; text-align: left; font-weight: 400; }
.ovr-numbers td { padding: 3px 0; text-align: right; font-weight: 600; white-space: nowrap; }
.ovr-numbers tr + tr > * { border-top: 1px solid hsl(215 30% 30% / 0.35); }
.ovr-numbers thead th { font-size: 12px; }
.ovr-numbers thead th + th { text-align: right; padding-right: 0; }
.ovr-numbers td + td { padding-left: 8px; }
.ovr-swatch { display: inline-block; width: 10px; height: 10px; margin-right: 8px; border-radius: 3px; }
.ovr-facts { display: grid; grid-template-columns: auto 1fr; gap: 1px 12px; }
.ovr-facts dt { color: var(--ovr-muted); }
.ovr-facts dd { text-align: right; min-width: 0; overflow-wrap: anywhere; }
.ovr-notice { padding-top: 6px !important; border-top: 1px solid var(--ovr-line); color: hsl(40 90% 72%); }
.ovr-reason { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 3; overflow: hidden; }
.ovr-device { margin-top: auto; padding-top: 10px; border-top: 1px solid var(--ovr-line); }
`;
