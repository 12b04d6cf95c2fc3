import type { Interval } from '../../metrics/bootstrap.ts';

const STYLE = `body{font:15px/1.45 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a}table{border-collapse:collapse;margin:.6rem 0}
td,th{padding:.2rem .7rem;border-bottom:1px solid #ddd;text-align:left;vertical-align:top}td.n{text-align:right;font-variant-numeric:tabular-nums}.notice{background:#fff4d6;padding:.6rem 1rem;border-left:4px solid #d99a00}
figure{display:inline-block;margin:0 1rem 1rem 0}figcaption{max-width:12rem}code{font-size:.85em;overflow-wrap:anywhere}h3{margin-top:2rem}`;

/** One HTML file with all that it shows: nothing is fetched. @param body HTML */
export function pageHtml(title: string, body: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${text(title)}</title><style>${STYLE}</style>
<h1>${text(title)}</h1><p class="notice">Research use only. Not for diagnosis.</p>
${body}</html>\n`;
}

/** @param rows cells of HTML */
export function tableHtml(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const isNumber = (cell: string) => /^[-−\d.]+$/.test(cell);
  return `<table><thead><tr>${head.map(cell => `<th scope="col">${text(cell)}</th>`).join('')}</tr></thead><tbody>${rows.map(row => `<tr>${row.map(cell => `<td${isNumber(cell) ? ' class="n"' : ''}>${cell}</td>`).join('')}</tr>`).join('')}</tbody></table>`;
}

/** '0.913 (0.871 to 0.951)', or the value by itself where there is no interval. */
export function estimate({ value, low, high }: { readonly value: number } & Partial<Interval>): string {
  return low === undefined || high === undefined ? value.toPrecision(3) : `${value.toPrecision(3)} (${low.toPrecision(3)} to ${high.toPrecision(3)})`;
}

/** A study as its name, and a link that opens it where a viewer is known. @param viewer its root */
export function studyHtml(study: string, viewer: string | undefined): string {
  const name = `<code>${text(study)}</code>`;
  if (viewer === undefined || !/^[0-9.]+$/.test(study)) return name;
  return `<a href="${text(viewer.replace(/\/+$/, ''))}/overread?StudyInstanceUIDs=${study}">${name}</a>`;
}

export function text(value: string): string {
  return value.replace(/[&<>"']/g, c => `&#${c.charCodeAt(0)};`);
}
