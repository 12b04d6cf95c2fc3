import fs from 'node:fs';
import path from 'node:path';
import { readImageInstance } from '../../../src/dicom/instance.ts';
import { synthesisOf, type SynthesisHeader } from '../../../src/dicom/synthesis.ts';
import { synthesisedOf } from '../../../extension/sources/attributes.ts';
import { judgeSynthesis } from '../../../src/tasks/synthesised.ts';
import { picture } from '../cli/fake-runner.ts';
import { tinyManifest } from '../runtime/tiny.ts';

const derived = (derivationDescription: string): SynthesisHeader => ({ imageType: ['DERIVED', 'SECONDARY'], derivationDescription });

describe('what counts as synthesised', () => {
  test.each<[string, SynthesisHeader]>([
    ['Synthetic Data', { syntheticData: 'YES' }],
    ['a value of Image Type', { imageType: ['DERIVED', 'SECONDARY', 'SYNTHETIC'] }],
    ['a value of Image Type with more in it', { imageType: ['DERIVED', 'SECONDARY', 'AXIAL', 'SYNTHETIC_CT'] }],
    ['a pseudo-CT', { imageType: ['DERIVED', 'PRIMARY', 'PSEUDO CT'] }],
    ['a CycleGAN', derived('T1 from FLAIR by CycleGAN, epoch 200')],
    ['a GAN', derived('MR to CT, 3D GAN 1.2')],
    ['pix2pix', derived('pix2pix HD')],
    ['a synthetic CT', derived('Synthetic CT from Dixon in-phase')],
    ['an sCT', derived('sCT, head and neck')],
    ['a synthesised image', derived('synthesised FLAIR')],
    ['a generative model', derived('Output of a generative diffusion model')],
    ['image-to-image translation', derived('Image-to-image translation, U-Net')],
    ['a virtual stain', derived('Virtually stained, H&E from autofluorescence')],
    ['a translated contrast', derived('Translated from T2 to FLAIR')],
    ['the code of a derivation', { imageType: ['DERIVED'], derivations: ['Modality translation'] }],
    ['equipment that processed', { contributingEquipment: [{ purpose: '109102', purposeMeaning: 'Processing Equipment', description: 'MR to CT synthesis' }] }],
    ['equipment with a purpose of its own', { contributingEquipment: [{ purposeMeaning: 'Image synthesis' }] }],
    ['equipment by its name', { contributingEquipment: [{ purpose: '109103', modelName: 'SyntheticMR' }] }],
  ])('%s', (_, header) => {
    expect(synthesisOf(header)).toEqual(expect.any(String));
  });

  test.each<[string, SynthesisHeader]>([
    ['a reformat', { imageType: ['DERIVED', 'SECONDARY', 'REFORMATTED'], derivationDescription: 'Multiplanar reformatting', derivations: ['Multiplanar reformatting'] }],
    ['an ADC map', { imageType: ['DERIVED', 'PRIMARY', 'DIFFUSION', 'ADC'], derivationDescription: 'Apparent diffusion coefficient' }],
    ['a subtraction', { imageType: ['DERIVED', 'SECONDARY', 'SUBTRACTION'], derivationDescription: 'Pixel by pixel subtraction' }],
    ['a projection', { imageType: ['DERIVED', 'SECONDARY', 'PROJECTION IMAGE', 'MIP'] }],
    ['a resampled slide', { imageType: ['DERIVED', 'PRIMARY', 'VOLUME', 'RESAMPLED'] }],
    ['lossy compression', derived('Lossy compression with JPEG baseline, IJG quality factor 90')],
    ['a registration', derived('Translated by 3 mm and rotated by 2 degrees to the reference')],
    ['a computed b-value', derived('Synthetic b=1500 from b=0, 800')],
    ['a synthesised 2D mammogram', derived('Synthesized 2D view')],
    ['tomosynthesis', { imageType: ['DERIVED', 'PRIMARY', 'TOMOSYNTHESIS', 'NONE'], derivationDescription: 'Breast tomosynthesis' }],
    ['learned reconstruction', derived('Deep learning reconstruction, noise reduction high')],
    ['a map of diffusion', derived('Diffusion model fit: IVIM')],
    ['contrast organs', derived('Organ contrast enhanced, translation table 4')],
    ['the scanner itself', { contributingEquipment: [{ purpose: '109101', modelName: 'Synthesis CT' }] }],
    ['de-identification', { contributingEquipment: [{ purpose: '109104', description: 'Synthetic identifiers' }] }],
    ['nothing said', {}],
    ['Synthetic Data NO', { syntheticData: 'NO' }],
  ])('is not %s', (_, header) => {
    expect(synthesisOf(header)).toBeUndefined();
  });

  test("by a site's own rules: all of one has to fit, the first that does decides, and it may take away", () => {
    const ours: SynthesisHeader = { imageType: ['DERIVED', 'SECONDARY'], seriesDescription: 'MRCAT pelvis', manufacturer: 'ACME' };
    expect(synthesisOf(ours)).toBeUndefined();
    expect(synthesisOf(ours, [{ descriptions: ['mrcat'], equipment: ['acme'] }])).toMatch(/rule of this site.*mrcat, acme/);
    expect(synthesisOf(ours, [{ descriptions: ['mrcat'], equipment: ['other'] }])).toBeUndefined();
    const magic = derived('Synthetic MR, MAGiC');
    expect(synthesisOf(magic)).toMatch(/derivation is 'Synthetic MR, MAGiC'/);
    expect(synthesisOf(magic, [{ imageTypes: ['DERIVED'], synthesised: false }, { imageTypes: ['SECONDARY'] }])).toBeUndefined();
  });

  test('in the viewer is read from its own form of a header', () => {
    expect(synthesisedOf({ ImageType: ['DERIVED', 'SECONDARY', 'SYNTHETIC'] })).toBe('Image Type has SYNTHETIC');
    expect(synthesisedOf({ ImageType: 'DERIVED\\SECONDARY\\SYNTHETIC' })).toBe('Image Type has SYNTHETIC');
    const equipment = { PurposeOfReferenceCodeSequence: [{ CodeValue: '109102', CodeMeaning: 'Processing Equipment' }], ContributionDescription: 'CycleGAN' };
    expect(synthesisedOf({ ContributingEquipmentSequence: [equipment] })).toMatch(/equipment says 'CycleGAN'/);
    expect(synthesisedOf({ ContributingEquipmentSequence: equipment })).toMatch(/CycleGAN/);
    expect(synthesisedOf({ SyntheticData: 'YES' })).toMatch(/0008,001C/);
    expect(synthesisedOf({ ImageType: ['DERIVED', 'PRIMARY', 'MPR'], DerivationDescription: 'MPR' })).toBeUndefined();
  });
});

describe('a model', () => {
  const image = picture(2, 2, [0, 0, 0, 0], { attributes: { seriesDescription: 'FLAIR', synthesised: 'Image Type has SYNTHETIC' } });
  const manifest = tinyManifest('tiny-bright');

  test('refuses what was synthesised by its name, and nothing else', () => {
    expect(judgeSynthesis(image, manifest)).toMatchObject({ refused: true, reason: "'FLAIR' was synthesised, and this model was made for acquired images: Image Type has SYNTHETIC" });
    expect(judgeSynthesis(picture(2, 2, [0, 0, 0, 0]), manifest)).toBeUndefined();
  });

  test('takes it when its manifest says that it was made for such', () => {
    expect(judgeSynthesis(image, tinyManifest('tiny-bright', m => ({ ...m, input: { ...m.input, synthesised: true } })))).toBeUndefined();
  });
});

const root = path.join(__dirname, '../../../../shared/data/dicom');
(fs.existsSync(root) ? describe : describe.skip)('real files', () => {
  test('say nowhere that they were synthesised, derived or not', () => {
    const files = ['open', 'unstated'].flatMap(split => fs.readdirSync(path.join(root, split, 'dev')).filter(file => file.endsWith('.dcm')).map(file => path.join(root, split, 'dev', file)));
    const types = new Set<string>();
    const marked = files.filter(file => {
      try {
        const { imageType, synthesised } = readImageInstance(fs.readFileSync(file));
        types.add(imageType.join('\\'));
        return synthesised !== undefined;
      } catch {
        return false; // no image, or one that is refused for another reason
      }
    });
    expect(marked).toEqual([]);
    // Among them reformats, projections, perfusion maps and resampled slides.
    for (const part of ['MPR', 'PROJECTION IMAGE', 'PERFUSION', 'DERIVED\\SECONDARY\\OTHER']) expect([...types].some(type => type.includes(part))).toBe(true);
  });
});
