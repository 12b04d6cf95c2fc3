import { useEffect, useState } from 'react';
import { summaries, unsealed, type ReadCase, type StudyNames } from '../blinded/export.ts';
import type { BlindedReadings } from '../blinded/index.ts';
import type { Reading } from '../blinded/reading.ts';

const STUDIES: { readonly [S in StudyNames]: string } = { hashed: 'Studies as hashes of this reading', none: 'Without studies', uid: 'With Study Instance UIDs' };

const SAID: Readonly<Record<string, string>> = { neither: 'No difference', acceptable: 'Good enough', unsure: 'Cannot tell', unacceptable: 'Not good enough' };

/** What was read, now that it is at its end: whose results they were, and what was said of them. */
export function BlindedKey({ readings, reading }: { readings: BlindedReadings; reading: Reading }) {
  const [studies, setStudies] = useState<StudyNames>('hashed');
  const [cases, setCases] = useState<readonly ReadCase[]>([]);
  const [asking, ask] = useState(false);
  useEffect(() => {
    let gone = false;
    // Sealed until its end; the section is not there before.
    unsealed(reading, 'none').then(found => !gone && setCases(found), () => undefined);
    return () => {
      gone = true;
    };
  }, [reading]);
  return (
    <>
      <KeyTable cases={cases} read={reading.answers.length} />
      <label className="ovr-field">
        <span>In the export</span>
        <select value={studies} onChange={event => setStudies(event.target.value as StudyNames)} data-overread="blinded-studies">
          {Object.entries(STUDIES).map(([of, text]) => <option key={of} value={of}>{text}</option>)}
        </select>
      </label>
      <div className="ovr-actions ovr-wrap">
        <button type="button" className="ovr-button ovr-small" onClick={() => void readings.export('csv', studies)} data-overread="blinded-csv">Export as CSV</button>
        <button type="button" className="ovr-button ovr-small" onClick={() => void readings.export('json', studies)} data-overread="blinded-json">Export as JSON</button>
      </div>
      {asking ? (
        <div className="ovr-message ovr-warning">
          <p>What was read is gone for good unless it was exported.</p>
          <p className="ovr-actions ovr-wrap">
            <button type="button" className="ovr-button ovr-small" onClick={() => void readings.clear('keep')} data-overread="blinded-again">Read the same cases again</button>
            <button type="button" className="ovr-button ovr-small" onClick={() => void readings.clear('remove')} data-overread="blinded-remove">Remove it all</button>
            <button type="button" className="ovr-button ovr-small" onClick={() => ask(false)}>Keep it</button>
          </p>
        </div>
      ) : <button type="button" className="ovr-button ovr-small" onClick={() => ask(true)} data-overread="blinded-clear">Another reading…</button>}
    </>
  );
}

/** Whose results they were, case by case, and what was said in all. */
export function KeyTable({ cases, read }: { cases: readonly ReadCase[]; read: number }) {
  return (
    <>
      <p>{read === cases.length ? `All ${cases.length} cases are read.` : `${read} of ${cases.length} cases are read.`} This is the key.</p>
      {summaries(cases).map(({ of, counts, p }) => (
        <table key={of.join()} className="ovr-numbers" aria-label={`What was said of ${of.join(' and ')}`} data-overread="blinded-summary">
          <tbody>
            {(of.length === 2 ? [...of, 'neither'] : ['acceptable', 'unsure', 'unacceptable']).map(said => (
              <tr key={said}><th scope="row">{of.length === 2 && said !== 'neither' ? `${said} preferred` : of.length === 1 ? `${of[0]}: ${SAID[said]}` : SAID[said]}</th><td>{counts[said] ?? 0}</td></tr>
            ))}
            {p !== undefined && <tr><th scope="row" title="How likely a split at least as uneven is if neither is better; those without a preference are left out">Sign test, two-sided</th><td>p = {p < 0.001 ? p.toExponential(1) : p.toFixed(3)}</td></tr>}
          </tbody>
        </table>
      ))}
      <table className="ovr-numbers ovr-blinded-key" aria-label="Key of the reading" data-overread="blinded-key">
        <thead className="ovr-muted"><tr><th scope="col">Case</th><th scope="col">A</th><th scope="col">B</th><th scope="col">Said</th></tr></thead>
        <tbody>
          {cases.map(one => (
            <tr key={one.case}>
              <th scope="row">{one.case}</th>
              <td>{one.a}</td>
              <td>{one.b ?? '–'}</td>
              <td>{one.choice === undefined ? 'not read' : `${{ first: 'A', second: 'B' }[one.choice as string] ?? SAID[one.choice]} (${one.confidence}), ${one.seconds} s`}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
