import { useEffect, useState } from 'react';
import { scoresCsv } from '../../src/export/scores-csv.ts';
import type { ScoresResult } from '../../src/results/result.ts';
import { copyText } from '../clipboard.ts';
import { save } from '../counting/dot-files.ts';
import type { Session } from '../session.ts';
import { csvName, scoresText } from './scores.ts';

/** The scores to take away: text on the clipboard, or a file that the page itself makes. */
export function ScoresActions({ session, result }: { session: Session; result: ScoresResult }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 3000);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async () => {
    try {
      await copyText(scoresText(result));
      setCopied(true);
      session.exports.exported(result, 'text');
    } catch {
      session.notify('error', 'The browser does not let this page write to the clipboard. Take the CSV file.');
    }
  };
  const take = () => {
    save(csvName(result), new Blob([scoresCsv([result])], { type: 'text/csv;charset=utf-8' }));
    session.exports.exported(result, 'csv');
  };
  return (
    <div className="ovr-actions">
      <button type="button" className="ovr-button ovr-small" title="Copy the scores as text" onClick={() => void copy()} data-overread="copy">
        {copied ? 'Copied' : 'Copy'}
      </button>
      <button type="button" className="ovr-button ovr-small" title="Download the scores as a table" onClick={take} data-overread="csv">
        CSV
      </button>
      <span className="ovr-hidden" role="status">{copied && 'The scores are on the clipboard.'}</span>
    </div>
  );
}
