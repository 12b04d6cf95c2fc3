import { useState, useSyncExternalStore } from 'react';
import type { Verdict } from '../../src/export/derived.ts';
import type { KeptResult } from '../results-store.ts';
import type { Session } from '../session.ts';
import { RemoveResult } from './remove-result.tsx';

export const storeCss = `
.ovr-store { display: flex; flex-wrap: wrap; gap: 6px; align-items: center; margin: 6px 0 0; }
.ovr-store select, .ovr-store input { font: inherit; color: inherit; background: transparent; border: 1px solid currentColor; border-radius: 4px; padding: 2px 4px; }
.ovr-store option { color: #000; }
.ovr-store input { flex: 1; min-width: 8em; }
.ovr-store-message { flex-basis: 100%; margin: 0; }
`;

const DECISIONS: readonly (readonly [Verdict['decision'], string])[] = [['accepted', 'Accepted'], ['corrected', 'Corrected'], ['rejected', 'Rejected']];

/** What the reader says of a result, and its way to the PACS. */
export function StoreRow({ session, kept }: { session: Session; kept: KeptResult }) {
  const { storer } = session;
  const { key: resultKey, result } = kept;
  const can = storer.canStore(result);
  // What is written of a heat map has no place for a verdict.
  const judged = can && result.kind !== 'heatmap';
  const { statuses, verdicts } = useSyncExternalStore(storer.state.subscribe, storer.state.get);
  const status = statuses.get(resultKey);
  const verdict = verdicts.get(resultKey);
  const [reason, setReason] = useState(verdict?.reason ?? '');
  const busy = status?.kind === 'storing';
  const say = (decision: string): void => storer.judge(resultKey, DECISIONS.find(([known]) => known === decision)?.[0], reason.trim());
  return (
    <div className="ovr-store" data-overread="store-row" data-status={status?.kind ?? 'new'}>
      {judged && (
        <select aria-label="Your verdict" value={verdict?.decision ?? ''} disabled={busy} onChange={event => say(event.target.value)} data-overread="verdict">
          <option value="">No verdict</option>
          {DECISIONS.map(([decision, name]) => <option key={decision} value={decision}>{name}</option>)}
        </select>
      )}
      {judged && verdict && <input aria-label="Reason" placeholder="Reason" value={reason} disabled={busy} onChange={event => setReason(event.target.value)} onBlur={() => reason.trim() !== (verdict.reason ?? '') && say(verdict.decision)} />}
      {can && status?.kind !== 'stored' && (
        <button type="button" className="ovr-button" disabled={busy} onClick={() => void storer.store(resultKey)} data-overread="store">
          {busy ? 'Storing…' : status?.kind === 'failed' ? 'Try again' : 'Store to PACS'}
        </button>
      )}
      {status?.kind === 'stored' && <span role="status" title={status.instances.join('\n')}>Stored in the PACS</span>}
      {status?.kind === 'failed' && <p className="ovr-store-message" role="alert">{status.message}</p>}
      {status?.kind !== 'stored' && !busy && <RemoveResult session={session} kept={kept} what="this result" />}
    </div>
  );
}

/** Stores all results of the open studies, where there are several that are not. */
export function StoreAll({ session: { storer, state }, keys }: { session: Session; keys: readonly string[] }) {
  const { statuses, note } = useSyncExternalStore(storer.state.subscribe, storer.state.get);
  const open = keys.filter(key => statuses.get(key)?.kind !== 'stored');
  return (
    <>
      {open.length > 1 && (
        <button type="button" className="ovr-button" disabled={open.some(key => statuses.get(key)?.kind === 'storing')} onClick={() => void storer.storeAll(state.get().openStudies)} data-overread="store-all">
          Store all {open.length}
        </button>
      )}
      {note && <p className="ovr-muted" role="status">{note}</p>}
    </>
  );
}
