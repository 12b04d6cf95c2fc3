import { useState } from 'react';
import type { KeptResult } from '../results-store.ts';
import type { Session } from '../session.ts';

/** Takes away what is not stored: asked for twice, since nothing brings it back. */
export function RemoveResult({ session, kept, what }: { session: Session; kept: KeptResult; what: string }) {
  const [asking, ask] = useState(false);
  const remove = () => session.results.remove(kept.key);
  return (
    <p className="ovr-actions">
      {asking
        ? (
          <>
            <button type="button" className="ovr-button ovr-small" onClick={remove} data-overread="remove-really">Remove for good</button>
            <button type="button" className="ovr-button ovr-small" onClick={() => ask(false)}>Keep</button>
          </>
        )
        : <button type="button" className="ovr-button ovr-small" onClick={() => ask(true)} data-overread="remove">Remove {what}…</button>}
    </p>
  );
}
