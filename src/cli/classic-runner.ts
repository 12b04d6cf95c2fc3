import type { ModelManifest } from '../manifest.ts';
import type { PointsResult } from '../results/points.ts';
import { countWatershed, identityOf } from '../tasks/count-watershed/index.ts';
import type { WatershedParameters } from '../tasks/count-watershed/parameters.ts';
import type { ModelRunner } from './model-runner.ts';

/** The classic count in a model's place, for the commands that read and measure pictures. */
export async function classicRunner(parameters: WatershedParameters): Promise<ModelRunner> {
  const identity = await identityOf(parameters);
  const device: PointsResult['device'] = { backend: 'cpu', adapter: 'JavaScript', software: true, reason: 'a classic method that uses no device' };
  const concept = { codeValue: '4421005', codingSchemeDesignator: 'SCT', codeMeaning: 'Cell' };
  // What the commands ask of a model; there is no graph behind it.
  const manifest: ModelManifest = {
    schemaVersion: 1, id: identity.id, version: identity.version, name: identity.name, task: 'count', graph: { url: 'none', format: 'layers', sha256: {} },
    input: { modality: ['OT'], shape: [1, 1, 1], layout: 'NHWC', valueRange: [0, 1], channels: ['grey'], normalisation: { kind: 'representable' }, fit: 'crop' },
    output: { activation: 'none', gives: 'density', targets: [{ label: 'Cell', concept }] },
    algorithm: { family: { codeValue: '123108', codingSchemeDesignator: 'DCM', codeMeaning: 'Morphological Operations' }, name: identity.name },
    license: 'MIT', citation: 'Ruifrok and Johnston 2001; Otsu 1979; Vincent and Soille 1991', intendedUse: 'Counting of cells by hand-set parameters.', notice: identity.notice,
  };
  return { manifest, identity, device, run: async ([image]) => countWatershed(image!, parameters), close: async () => {} };
}
