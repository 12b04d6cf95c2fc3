import type { MrAcquisition } from '../../../src/dicom/mr.ts';
import { modalityOf } from '../../../src/image/modality.ts';

const of = (seriesDescription?: string, mr?: MrAcquisition) => {
  const { modality } = modalityOf({ ...(seriesDescription !== undefined && { seriesDescription }), ...(mr && { mr }) });
  return modality;
};

describe('the modality of an MR series by its description', () => {
  test.each([
    ['T1 axial', 'T1'], ['AX T1', 'T1'], ['t1_mprage_sag_p2_iso', 'T1'], ['SAG 3D BRAVO', 'T1'], ['Ax T1 FLAIR', 'T1'], ['T1 SE pre contrast', 'T1'], ['t1_se_tra ohne KM', 'T1'], ['AX T1 W/O', 'T1'],
    ['T1 axial + contrast', 'T1c'], ['AX T1 POST', 'T1c'], ['t1_se_tra_KM', 'T1c'], ['T1 +C', 'T1c'], ['T1c', 'T1c'], ['T1Gd', 'T1c'], ['AX T1 GAD', 'T1c'], ['MPRAGE with contrast', 'T1c'], ['SAG T1 CE', 'T1c'],
    ['T2 axial', 'T2'], ['t2_tse_tra', 'T2'], ['AX T2 FSE', 'T2'],
    ['FLAIR axial', 'FLAIR'], ['AX T2 FLAIR', 'FLAIR'], ['t2_tirm_tra_dark-fluid', 'FLAIR'], ['3D FLAIR post', 'FLAIR'],
  ])('%s is %s', (description, modality) => expect(of(description)).toBe(modality));

  test.each(['localizer', 'AX DWI b1000', 'ADC map', 'T2* GRE', 'ax t2 star', 'SWI', 'TOF MRA', 'T1 DCE perfusion', 'PD T2 axial', 'T1 SUB', 'brain', 'T1 and T2 axial', ''])('%s is none of the four', description =>
    expect(of(description)).toBeUndefined());
});

describe('where the description does not say', () => {
  test('the protocol does', () => {
    expect(modalityOf({ seriesDescription: 'axial 5 mm', mr: { protocolName: 't2_flair_tra' } })).toEqual({ modality: 'FLAIR', from: 'ProtocolName', guessed: false });
  });

  test('a contrast agent makes a T1 a T1c, unless the words deny it or the agent is NONE', () => {
    expect(modalityOf({ seriesDescription: 'T1 ax', mr: { contrastBolusAgent: 'Gadobutrol' } })).toEqual({ modality: 'T1c', from: 'ContrastBolusAgent', guessed: false });
    expect(of('T1 ax pre', { contrastBolusAgent: 'Gadobutrol' })).toBe('T1');
    expect(of('T1 ax', { contrastBolusAgent: 'NONE' })).toBe('T1');
    expect(of('T2 ax', { contrastBolusAgent: 'Gadobutrol' })).toBe('T2');
  });

  test.each<[string, MrAcquisition, string | undefined]>([
    ['spin echo, short', { scanningSequence: ['SE'], echoTimeMs: 9, repetitionTimeMs: 500 }, 'T1'],
    ['the same with an agent', { scanningSequence: ['SE'], echoTimeMs: 9, repetitionTimeMs: 500, contrastBolusAgent: 'Gd' }, 'T1c'],
    ['an MPRAGE', { scanningSequence: ['GR', 'IR'], echoTimeMs: 3, repetitionTimeMs: 2000, inversionTimeMs: 900 }, 'T1'],
    ['spin echo, long', { scanningSequence: ['SE'], echoTimeMs: 98, repetitionTimeMs: 4500 }, 'T2'],
    ['inversion recovery, long', { scanningSequence: ['SE', 'IR'], echoTimeMs: 120, repetitionTimeMs: 9000, inversionTimeMs: 2500 }, 'FLAIR'],
    ['proton density', { scanningSequence: ['SE'], echoTimeMs: 15, repetitionTimeMs: 3000 }, undefined],
    ['diffusion', { scanningSequence: ['SE', 'EP'], echoTimeMs: 98, repetitionTimeMs: 4500 }, undefined],
    ['a gradient echo', { scanningSequence: ['GR'], echoTimeMs: 20, repetitionTimeMs: 600 }, undefined],
    ['nothing', {}, undefined],
  ])('%s: its timing is a guess, and says so', (_, mr, modality) => {
    const found = modalityOf({ seriesDescription: 'ax brain', mr });
    expect(found.modality).toBe(modality);
    if (found.modality) expect(found).toMatchObject({ from: 'EchoTime, RepetitionTime, InversionTime', guessed: true });
    else expect(found.why).toContain('ax brain');
  });

  test('who gives the file has the last word', () => {
    expect(modalityOf({ seriesDescription: 'T1 ax', mrModality: 'T2' })).toEqual({ modality: 'T2', from: 'given', guessed: false });
  });
});
