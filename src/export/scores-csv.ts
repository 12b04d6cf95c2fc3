import { isInstanceReference } from '../image/image.ts';
import { csv } from './csv.ts';
import { sourcesOf, type ScoresResult } from '../results/result.ts';

const HEADER = ['source', 'frame', 'model', 'version', 'label', 'logit', 'probability', 'operating_point', 'positive', 'PA', 'L', 'fused', 'views_used', 'views_missing', 'refused'];

/**
 * Scores as CSV (RFC 4180: commas, CRLF, UTF-8), a header and a line for each target of each result. `source` is the
 * SOP Instance UID or the file, of several views joined by a space; what is not known is empty. `refused` is why the
 * image was judged to be none for the model, if it was. A text that a spreadsheet would take for a formula, such as a
 * label that begins with '=', gets an apostrophe before it (OWASP, "CSV Injection").
 */
export function scoresCsv(results: readonly ScoresResult[]): string {
  const lines = results.flatMap(result => {
    const { model, scores, viewsUsed, viewsMissing, outOfDistribution } = result;
    const sources = sourcesOf(result);
    const names = sources.map(s => (isInstanceReference(s) ? s.sopInstanceUID : s.file)).join(' ');
    const frames = sources.map(s => (isInstanceReference(s) ? s.frame : '')).join(' ').trim();
    const refused = outOfDistribution?.refused ? (outOfDistribution.reason ?? 'refused') : '';
    return scores.map(({ target, logit, probability, operatingPoint, positive, views }) => [
      names, frames, model.id, model.version, target.label, logit, probability, operatingPoint, positive, views.PA, views.L, views.fused, viewsUsed.join(' '), viewsMissing.join(' '), refused,
    ]);
  });
  return csv([HEADER, ...lines]);
}
