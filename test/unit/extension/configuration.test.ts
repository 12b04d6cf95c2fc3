import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { mayTrain, parseConfiguration } from '../../../extension/configuration.ts';
import { OverreadError } from '../../../src/errors.ts';

const PLUGIN = 'https://viewer.example/sub/overread/';

function refusal(raw: unknown): OverreadError {
  try {
    parseConfiguration(raw, PLUGIN);
  } catch (error) {
    return error as OverreadError;
  }
  throw new Error('expected a refusal');
}

describe('the configuration of a deployment', () => {
  it('has defaults that lie beside the plugin, under whatever path that is', () => {
    expect(parseConfiguration(undefined, PLUGIN)).toEqual({
      models: ['https://viewer.example/sub/overread/models/'],
      allowSoftwareAdapter: false,
      defaultOverlay: { opacity: 0.8, style: 'outline' },
      store: { results: ['labelmap', 'scores', 'points', 'heatmap'], segmentation: 'BINARY', keyObjects: false },
      training: { enabled: true },
    });
  });

  it('takes one catalogue or several, relative to the plugin or absolute, and adds the trailing slash', () => {
    const { models } = parseConfiguration({ models: ['../ours', '/root/models/', 'https://models.example/a'] }, PLUGIN);
    expect(models).toEqual(['https://viewer.example/sub/ours/', 'https://viewer.example/root/models/', 'https://models.example/a/']);
    expect(parseConfiguration({ models: 'm' }, PLUGIN).models).toEqual(['https://viewer.example/sub/overread/m/']);
  });

  it('fills in what is left out of the overlay', () => {
    expect(parseConfiguration({ defaultOverlay: { style: 'fill' } }, PLUGIN).defaultOverlay).toEqual({ opacity: 0.8, style: 'fill' });
  });

  it('takes one rule or several on what was synthesised', () => {
    expect(parseConfiguration({}, PLUGIN).synthesised).toBeUndefined();
    expect(parseConfiguration({ synthesised: { descriptions: ['MRCAT'] } }, PLUGIN).synthesised).toEqual([{ descriptions: ['MRCAT'] }]);
    expect(parseConfiguration({ synthesised: [{ imageTypes: ['MAGIC'], synthesised: false }] }, PLUGIN).synthesised).toEqual([{ imageTypes: ['MAGIC'], synthesised: false }]);
  });

  it('runs nothing by itself unless it names models, and then on radiographs unless it says otherwise', () => {
    expect(parseConfiguration({}, PLUGIN).autoRun).toBeUndefined();
    expect(parseConfiguration({ autoRun: { models: ['a', 'a'] } }, PLUGIN).autoRun).toEqual([{ models: ['a'], modalities: ['DX', 'CR'] }]);
    expect(parseConfiguration({ autoRun: { models: ['a'], modalities: ['CT'] } }, PLUGIN).autoRun).toEqual([{ models: ['a'], modalities: ['CT'] }]);
    expect(parseConfiguration({ autoRun: [{ models: ['a'], bodyParts: ['CHEST'] }, { models: ['b'], modalities: ['MR'], descriptions: ['brain'] }] }, PLUGIN).autoRun).toEqual([
      { models: ['a'], modalities: ['DX', 'CR'], bodyParts: ['CHEST'] }, { models: ['b'], modalities: ['MR'], descriptions: ['brain'] },
    ]);
  });

  it.each([
    [{ model: 'x' }, 'overread.model: no such setting'],
    [{ defaultOverlay: { colour: 'red' } }, 'overread.defaultOverlay.colour: no such setting'],
    [{ defaultOverlay: { opacity: 2 } }, 'overread.defaultOverlay.opacity'],
    [{ allowSoftwareAdapter: 'yes' }, 'overread.allowSoftwareAdapter'],
    [{ allowedModels: ['Not An Id'] }, 'overread.allowedModels.0'],
    [{ models: [] }, 'overread.models'],
    [{ models: 'javascript:alert(1)' }, 'overread.models[0]: expected an http or https address'],
    [{ models: ['ok', 'file:///etc'] }, 'overread.models[1]'],
    [{ models: 'https://' }, 'overread.models[0]'],
    [{ defaultModel: 'a', allowedModels: ['b'] }, 'overread.defaultModel: expected one of overread.allowedModels (b), got a'],
    [{ autoRun: true }, 'overread.autoRun'],
    [{ autoRun: { models: [] } }, 'overread.autoRun.models'],
    [{ autoRun: { models: ['a'], modality: 'DX' } }, 'overread.autoRun.modality: no such setting'],
    [{ autoRun: { models: ['a'], modalities: ['dx'] } }, 'overread.autoRun.modalities.0: expected a DICOM modality such as DX'],
    [{ autoRun: { models: ['a', 'b'] }, allowedModels: ['a'] }, 'overread.autoRun.models: expected some of overread.allowedModels (a), got b'],
    [{ autoRun: [{ models: ['a'], modality: 'DX' }] }, 'overread.autoRun.0.modality: no such setting'],
    [{ autoRun: [{ models: ['a'] }, { models: ['b'], bodyParts: [''] }] }, 'overread.autoRun.1.bodyParts.0'],
    [{ autoRun: [{ models: ['a'] }, { models: ['b'] }], allowedModels: ['a'] }, 'overread.autoRun.1.models: expected some of overread.allowedModels (a), got b'],
    [{ store: { results: ['mask'] } }, 'overread.store.results.0'],
    [{ store: { segmentation: 'FRACTIONAL' } }, 'overread.store.segmentation'],
    [{ store: { keyObject: true } }, 'overread.store.keyObject: no such setting'],
    [{ audit: { endpoint: 'https://log.example' } }, 'overread.audit.format'],
    [{ audit: { endpoint: 'ftp://log.example', format: 'fhir' } }, 'overread.audit.endpoint: expected an http or https address'],
    [{ training: {} }, 'overread.training.enabled'],
    [{ synthesised: {} }, 'overread.synthesised: expected at least one of imageTypes, descriptions and equipment'],
    [{ synthesised: [{ description: ['MRCAT'] }] }, 'overread.synthesised.0.description: no such setting'],
    [{ modelOrigins: ['models.example'] }, 'overread.modelOrigins.0: expected an origin'],
    [{ modelOrigins: ['https://models.example'], models: ['./m', 'https://other.example/m'] }, 'overread.models: https://other.example/m/ lies on none of overread.modelOrigins (https://viewer.example, https://models.example)'],
    ['a string', 'overread'],
  ])('refuses %j and names the place', (raw, place) => {
    const error = refusal(raw);
    expect(error).toBeInstanceOf(OverreadError);
    expect(error.code).toBe('config/invalid');
    expect(error.message).toContain(place);
  });

  it('names every fault, not the first alone', () => {
    expect(refusal({ one: 1, two: 2 }).fields.got).toEqual(['overread.one: no such setting', 'overread.two: no such setting']);
  });

  it('sends audit records where it is told, and lets those train who are named', () => {
    expect(parseConfiguration({ audit: { endpoint: '/audit', format: 'dicom' } }, PLUGIN).audit).toEqual({ url: 'https://viewer.example/audit', format: 'dicom' });
    const of = (training?: object) => parseConfiguration({ ...(training && { training }) }, PLUGIN);
    expect([mayTrain(of(), undefined), mayTrain(of({ enabled: false }), 'Rita'), mayTrain(of({ enabled: true, users: ['Rita'] }), 'Rita'), mayTrain(of({ enabled: true, users: ['Rita'] }), undefined)]).toEqual([true, false, true, false]);
  });

  it('takes nothing from the address of the page: no file of the extension reads it, but for a comparison that it offers', () => {
    const root = path.join(__dirname, '../../../');
    const files = ['extension', 'mode'].flatMap(folder => readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' }).map(file => path.join(folder, file)).filter(file => /\.tsx?$/.test(file)));
    expect(files.length).toBeGreaterThan(50);
    const those = (pattern: RegExp) => files.filter(file => pattern.test(readFileSync(path.join(root, file), 'utf8'))).sort();
    expect(those(/location\.(search|hash)|URLSearchParams|searchParams/)).toEqual([]);
    // Links are made from it; the one that is read names results that are there, and waits for a click.
    expect(those(/location\.href/)).toEqual(['extension/comparing/index.ts', 'extension/comparing/offered.ts', 'extension/host.ts', 'extension/panels/blinded-section.tsx']);
  });
});
