import { parseConfiguration } from '../../../extension/configuration.ts';
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

  it('runs nothing by itself unless it names models, and then on radiographs unless it says otherwise', () => {
    expect(parseConfiguration({}, PLUGIN).autoRun).toBeUndefined();
    expect(parseConfiguration({ autoRun: { models: ['a', 'a'] } }, PLUGIN).autoRun).toEqual({ models: ['a'], modalities: ['DX', 'CR'] });
    expect(parseConfiguration({ autoRun: { models: ['a'], modalities: ['CT'] } }, PLUGIN).autoRun).toEqual({ models: ['a'], modalities: ['CT'] });
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
});
