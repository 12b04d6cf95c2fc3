import type { CodedConcept } from '../dicom/concepts.ts';
import { conceptItem } from './derived.ts';
import type { DicomObject } from './part10.ts';

/** How a content item of a structured report stands to the one above it (PS3.3 C.17.3.2.4). */
export type Relationship = 'CONTAINS' | 'HAS OBS CONTEXT' | 'HAS CONCEPT MOD' | 'HAS PROPERTIES' | 'INFERRED FROM' | 'SELECTED FROM' | 'HAS ACQ CONTEXT';

/** A content item. */
export type Content = DicomObject;

/** CodeValue, scheme, meaning. */
export type Code = readonly [value: string, scheme: string, meaning: string];

export const conceptOf = ([codeValue, codingSchemeDesignator, codeMeaning]: Code): CodedConcept => ({ codeValue, codingSchemeDesignator, codeMeaning });

function item(relationship: Relationship, valueType: string, name: Code | CodedConcept | undefined, value: DicomObject, children: readonly Content[]): Content {
  return {
    RelationshipType: relationship,
    ValueType: valueType,
    ...(name && { ConceptNameCodeSequence: [conceptItem('codeValue' in name ? name : conceptOf(name))] }),
    ...value,
    ...(children.length > 0 && { ContentSequence: children }),
  };
}

export const container = (relationship: Relationship, name: Code, children: readonly Content[], template?: string): Content => item(relationship, 'CONTAINER', name, {
  ContinuityOfContent: 'SEPARATE',
  ...(template && { ContentTemplateSequence: [{ MappingResource: 'DCMR', TemplateIdentifier: template }] }),
}, children);

export const codeItem = (relationship: Relationship, name: Code, value: Code | CodedConcept, children: readonly Content[] = []): Content =>
  item(relationship, 'CODE', name, { ConceptCodeSequence: [conceptItem('codeValue' in value ? value : conceptOf(value))] }, children);

export const textItem = (relationship: Relationship, name: Code, value: string): Content => item(relationship, 'TEXT', name, { TextValue: value || ' ' }, []);

export const uidItem = (relationship: Relationship, name: Code, value: string): Content => item(relationship, 'UIDREF', name, { UID: value }, []);

export const personItem = (relationship: Relationship, name: Code, value: string): Content => item(relationship, 'PNAME', name, { PersonName: value }, []);

/** A measurement; the exact number stands beside its decimal string of 16 characters. */
export const numberItem = (name: Code, value: number, unit: Code, children: readonly Content[] = []): Content => item('CONTAINS', 'NUM', name, {
  MeasuredValueSequence: [{ NumericValue: value, FloatingPointValue: value, MeasurementUnitsCodeSequence: [conceptItem(conceptOf(unit))] }],
}, children);

export const imageItem = (relationship: Relationship, name: Code | undefined, reference: DicomObject, children: readonly Content[] = []): Content =>
  item(relationship, 'IMAGE', name, { ReferencedSOPSequence: [reference] }, children);

/** Points of a picture: column and row from its upper left corner, the first pixel's centre at (0.5, 0.5) (PS3.3 C.18.6). */
export const pointsInImage = (coordinates: readonly number[], image: Content): Content => item('INFERRED FROM', 'SCOORD', undefined, { GraphicType: 'MULTIPOINT', GraphicData: coordinates }, [image]);

/** A line of a picture that a number is written at; as {@link pointsInImage}. */
export const polylineInImage = (name: Code, coordinates: readonly number[], image: Content): Content => item('INFERRED FROM', 'SCOORD', name, { GraphicType: 'POLYLINE', GraphicData: coordinates }, [image]);

/** Points in the patient or on the slide, mm of the frame of reference. */
export const pointsInSpace = (coordinates: readonly number[], frameOfReferenceUID: string, relationship: Relationship = 'INFERRED FROM'): Content =>
  item(relationship, 'SCOORD3D', undefined, { GraphicType: 'MULTIPOINT', GraphicData: coordinates, ReferencedFrameOfReferenceUID: frameOfReferenceUID }, []);
