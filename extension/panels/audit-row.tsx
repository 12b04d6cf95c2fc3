import { useSyncExternalStore } from 'react';
import type { Audit } from '../audit/audit.ts';
import { save } from '../counting/dot-files.ts';

/** The audit log of this browser: how much it holds, and its download. */
export function AuditRow({ audit }: { audit: Audit }) {
  const { records, waiting, problem } = useSyncExternalStore(audit.state.subscribe, audit.state.get, audit.state.get);
  if (records === 0 && !problem) return null;
  const take = async () => save('overread-audit.jsonl', new Blob([await audit.lines()], { type: 'application/jsonl' }));
  return (
    <footer className="ovr-device" data-overread="audit" data-waiting={waiting}>
      <p>
        <span className="ovr-muted">Audit log: </span>
        <span className="ovr-number">{records}</span> records{waiting > 0 && `, ${waiting} not sent`}{' '}
        <button type="button" className="ovr-button ovr-small" onClick={() => void take()} data-overread="audit-download">Download</button>
      </p>
      {problem && <p className="ovr-muted" role="status">{problem}</p>}
    </footer>
  );
}
