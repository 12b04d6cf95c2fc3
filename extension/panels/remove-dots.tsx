import { useState } from 'react';
import type { KeptResult } from '../results-store.ts';
import type { Session } from '../session.ts';

/** Takes a set of dots away: asked for twice, since nothing brings it back. */
export function RemoveDots({ session, kept }: { session: Session; kept: KeptResult }) {
  const [asking, ask] = useState(false);
  const remove = () => session.results.remove(kept.key);
  return (
    <p className="ovr-actions">
      {asking
        ? (
          <>
            <button type="button" className="ovr-button ovr-small" onClick={remove} data-overread="remove-dots-really">Remove for good</button>
            <button type="button" className="ovr-button ovr-small" onClick={() => ask(false)}>Keep</button>
          </>
        )
        : <button type="button" className="ovr-button ovr-small" onClick={() => ask(true)} data-overread="remove-dots">Remove these dots…</button>}
    </p>
  );
}
