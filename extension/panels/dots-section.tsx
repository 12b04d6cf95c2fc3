import { useRef } from 'react';
import type { Session } from '../session.ts';

/** Dots without a model: begun on the image that is chosen, or brought from a file. */
export function DotsSection({ session: { counting }, hasImage }: { session: Session; hasImage: boolean }) {
  const file = useRef<HTMLInputElement>(null);
  return (
    <section aria-label="Dots" data-overread="dots">
      <h2>Dots by hand</h2>
      <div className="ovr-actions ovr-wrap">
        <button type="button" className="ovr-button ovr-small" disabled={!hasImage} onClick={() => void counting.startDots()} data-overread="start-dots">Set dots on this image</button>
        <button type="button" className="ovr-button ovr-small" disabled={!hasImage} onClick={() => file.current?.click()}>Import dots…</button>
        <input
          ref={file} type="file" hidden accept=".csv,.tsv,.txt,.json,.geojson,.png" aria-label="A file of dots: CSV, GeoJSON or PNG" data-overread="import-dots"
          onChange={event => {
            const [chosen] = event.target.files ?? [];
            if (chosen) void counting.importDots(chosen);
            // So that the same file can be chosen again.
            event.target.value = '';
          }}
        />
      </div>
    </section>
  );
}
