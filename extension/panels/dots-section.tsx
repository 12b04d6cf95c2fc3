import type { Session } from '../session.ts';
import { FileButton } from './file-button.tsx';

/** Dots without a model: begun on the image that is chosen, or brought from a file. */
export function DotsSection({ session: { counting }, hasImage }: { session: Session; hasImage: boolean }) {
  return (
    <section aria-label="Dots" data-overread="dots">
      <h2>Dots by hand</h2>
      <div className="ovr-actions ovr-wrap">
        <button type="button" className="ovr-button ovr-small" disabled={!hasImage} onClick={() => void counting.startDots()} data-overread="start-dots">Set dots on this image</button>
        <FileButton
          text="Import dots…" label="A file of dots: CSV, GeoJSON or PNG" accept=".csv,.tsv,.txt,.json,.geojson,.png" name="import-dots" disabled={!hasImage}
          onFile={file => void counting.importDots(file)}
        />
      </div>
    </section>
  );
}
