import { OverreadError, toOverreadError } from '../src/errors.ts';
import type { LabelmapResult, Result } from '../src/results/result.ts';
import { auditedResult, auditedSources, type Audit } from './audit/audit.ts';
import { save } from './counting/dot-files.ts';
import { instanceReference } from './identity.ts';
import { activeViewportId, shownImage } from './sources/target.ts';
import type { Cornerstone, DicomInstance, Services } from './types/ohif.ts';
import { viewportPicture } from './viewport-picture.ts';

/** What leaves the viewer as a file or as text: each time it is audited. */
export class Exports {
  readonly #parts: { readonly audit: Audit; readonly services: Services; readonly cornerstone: Cornerstone; readonly report: (error: OverreadError) => void };

  constructor(parts: { audit: Audit; services: Services; cornerstone: Cornerstone; report: (error: OverreadError) => void }) {
    this.#parts = parts;
  }

  /** A result left the viewer. */
  readonly exported = (result: Result, format: string): void => {
    void this.#parts.audit.record({ action: 'export', outcome: 'success', ...auditedResult(result), details: { format } });
  };

  /** Hands a mask of a volume to the user as NIfTI. */
  async nifti(result: LabelmapResult): Promise<void> {
    const [{ affineOf, niftiFile }, { gzipSync }] = await Promise.all([import('../src/export/nifti.ts'), import('fflate')]);
    const { model: { id, version }, source, labels } = result;
    const file = gzipSync(niftiFile({ shape: source.shape, values: labels, indexToPatient: affineOf(source) }));
    save(`${id}-${version}.nii.gz`, new Blob([file.slice()], { type: 'application/gzip' }));
    this.exported(result, 'nifti');
  }

  /** Hands what the active viewport shows to the user as PNG. */
  async picture(): Promise<void> {
    const { services, cornerstone, audit, report } = this.#parts;
    try {
      const viewport = services.cornerstoneViewportService.getCornerstoneViewport(activeViewportId(services) ?? '');
      if (!viewport) throw new OverreadError('input/no-pixels', 'Click on an image first, then take a picture of it.', { expected: 'a viewport' });
      save('overread.png', await viewportPicture(viewport.element));
      const shown = shownImage(services, viewport.id);
      const source = shown && instanceReference(cornerstone.metaData.get('instance', shown.imageId) as DicomInstance | undefined);
      void audit.record({ action: 'export', outcome: 'success', ...auditedSources(source ? [source] : []), details: { format: 'picture' } });
    } catch (error) {
      report(toOverreadError(error));
    }
  }
}
