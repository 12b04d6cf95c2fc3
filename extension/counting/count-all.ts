import { frameKey, instanceReference, sourcesOf, type Target } from '../identity.ts';
import type { ResultsStore } from '../results-store.ts';
import type { Runner } from '../run.ts';
import { imageIdsOf } from '../sources/target.ts';
import type { Observable, State } from '../state.ts';
import type { Cornerstone, DicomInstance, Services } from '../types/ohif.ts';

interface Parts {
  readonly services: Services;
  readonly cornerstone: Cornerstone;
  readonly runner: Pick<Runner, 'runQuietly'>;
  readonly results: Pick<ResultsStore, 'all'>;
  readonly state: Observable<State>;
}

/**
 * Counts every image of the open studies with the chosen model, one after the other; those that it has counted are left. It gives
 * way to the user, and an image that cannot be counted does not end it. The state's note says how far it came.
 */
export async function countAll({ services, cornerstone, runner, results, state }: Parts): Promise<void> {
  const { catalogue, modelId } = state.get();
  const entry = catalogue?.entries.find(({ manifest }) => manifest.id === modelId && manifest.task === 'count');
  if (!entry) return;
  const { id, version, name } = entry.manifest;
  const counted = new Set(results.all().filter(({ result }) => result.kind === 'points' && result.model.id === id && result.model.version === version).flatMap(({ result }) => sourcesOf(result).map(frameKey)));
  const targets = imagesOf(services, cornerstone).filter(({ source }) => !counted.has(frameKey(source)));
  const failed: string[] = [];
  for (const [i, target] of targets.entries()) {
    state.set({ note: `${name}: image ${i + 1} of ${targets.length}.` });
    const outcome = await runner.runQuietly(entry, [target]);
    if (outcome.kind === 'gave way' || (outcome.kind === 'failed' && outcome.error.code === 'job/cancelled')) {
      state.set({ note: `${name} stopped at image ${i + 1} of ${targets.length}. Count all goes on with the others.` });
      return;
    }
    if (outcome.kind === 'failed') failed.push(outcome.error.message);
  }
  const done = targets.length - failed.length;
  state.set({ note: `${name} counted ${done} ${done === 1 ? 'image' : 'images'}.${failed.length > 0 ? ` ${failed.length} could not be counted: ${[...new Set(failed)].join(' ')}` : ''}` });
}

/** The images of open studies that are pictures: no slides, whose images are tiles, and nothing without pixels. */
function imagesOf(services: Services, cornerstone: Cornerstone): Target[] {
  return services.displaySetService.getActiveDisplaySets().flatMap(displaySet => {
    if (displaySet.Modality === 'SM') return [];
    return imageIdsOf(displaySet).flatMap(imageId => {
      const source = instanceReference(cornerstone.metaData.get('instance', imageId) as DicomInstance | undefined);
      return source ? [{ viewportId: '', displaySetInstanceUID: displaySet.displaySetInstanceUID, imageId, source }] : [];
    });
  });
}
