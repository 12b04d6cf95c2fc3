import type { CodedConcept } from '../../dicom/concepts.ts';
import type { Target } from '../../manifest.ts';
import type { DeviceDescription, ModelIdentity, ResultBase } from '../../results/result.ts';
import { items, text, type Naturalized } from '../source.ts';

/** How an object says that it was made: of ours all of it, of others what there is. */
export interface Provenance extends Pick<ResultBase, 'model' | 'device' | 'createdAt' | 'timingMs'> {
  /** Written by Overread. */
  readonly ours: boolean;
}

/** `name=value; name=value`, as ours state them. */
export function parametersIn(value: string | undefined): ReadonlyMap<string, string> {
  return new Map((value ?? '').split(/;\s*/).flatMap(pair => {
    const at = pair.indexOf('=');
    return at > 0 ? [[pair.slice(0, at), pair.slice(at + 1)] as const] : [];
  }));
}

/** @param parameters of the algorithm, where the object states them */
export function provenanceOf(set: Naturalized, parameters: ReadonlyMap<string, string>): Provenance {
  const equipment = items(set.ContributingEquipmentSequence).find(item => text(item.Manufacturer) === 'Overread');
  const created = text(equipment?.ContributionDateTime);
  const ours = equipment !== undefined && parameters.has('sha256');
  return { ours, model: ours ? ourModel(set, equipment, parameters) : foreignModel(set), device: deviceOf(parameters, ours), createdAt: isoOf(created) ?? isoOf(`${text(set.ContentDate) ?? ''}${text(set.ContentTime) ?? ''}`) ?? new Date(0).toISOString(), timingMs: { load: 0, encode: 0, predict: 0, decode: 0 } };
}

function ourModel(set: Naturalized, equipment: Naturalized, parameters: ReadonlyMap<string, string>): ModelIdentity {
  const [id, version = ''] = (text(equipment.ManufacturerModelName) ?? '').split(' ');
  const description = text(equipment.ContributionDescription) ?? '';
  return {
    id: parameters.get('model') ?? id!,
    version,
    name: text(set.ManufacturerModelName) ?? id!,
    sha256: parameters.get('sha256')!,
    notice: noticeIn(description, text(set.ContentDescription)),
  };
}

/** The description ends with the whole notice; the content's description is what of its beginning has room in 64 characters. */
function noticeIn(description: string, beginning: string | undefined): string {
  const at = beginning ? description.lastIndexOf(beginning) : -1;
  return at >= 0 ? description.slice(at) : beginning ?? description.replace(/^.*?\) on [^.]*\. /, '');
}

function foreignModel(set: Naturalized): ModelIdentity {
  const [segment] = items(set.SegmentSequence);
  const name = text(segment?.SegmentAlgorithmName) ?? text(set.ManufacturerModelName) ?? text(set.Manufacturer) ?? 'unknown';
  return { id: 'not-overread', version: text(set.SoftwareVersions) ?? '', name, sha256: '', notice: 'Read from the study; not made by Overread.' };
}

function deviceOf(parameters: ReadonlyMap<string, string>, ours: boolean): DeviceDescription {
  const backend = (['webgpu', 'webgl', 'wasm', 'cpu'] as const).find(name => name === parameters.get('backend'));
  return { backend: backend ?? 'cpu', adapter: parameters.get('adapter') ?? 'not stated', software: parameters.get('software') === 'true', reason: ours ? 'read from the study' : 'not stated: made elsewhere' };
}

/** Of DT, or DA and TM joined; local time where no offset is stated. */
function isoOf(value: string | undefined): string | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\.\d+)?([+-]\d{4})?/.exec(value ?? '');
  if (!parts) return undefined;
  const [, y, mo, d, h, mi, s, fraction = '', offset] = parts;
  const date = new Date(`${y}-${mo}-${d}T${h}:${mi}:${s}${fraction}${offset ? `${offset.slice(0, 3)}:${offset.slice(3)}` : ''}`);
  return Number.isFinite(date.getTime()) ? date.toISOString() : undefined;
}

/** A code sequence's first item. */
export function conceptIn(value: unknown): CodedConcept | undefined {
  const [item] = items(value);
  const codeValue = text(item?.CodeValue) ?? text(item?.LongCodeValue) ?? text(item?.URNCodeValue);
  const [codingSchemeDesignator, codeMeaning] = [text(item?.CodingSchemeDesignator), text(item?.CodeMeaning)];
  return codeValue && codingSchemeDesignator ? { codeValue, codingSchemeDesignator, codeMeaning: codeMeaning ?? codeValue } : undefined;
}

const UNKNOWN: CodedConcept = { codeValue: '261665006', codingSchemeDesignator: 'SCT', codeMeaning: 'Unknown' };

export function targetOf(label: string, concept: CodedConcept | undefined): Target {
  return { label, concept: concept ?? UNKNOWN };
}
