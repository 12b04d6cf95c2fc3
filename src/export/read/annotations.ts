import { OverreadError } from '../../errors.ts';
import type { CountedClass, PointsResult } from '../../results/points.ts';
import { items, text, type Naturalized, type SourceInstance } from '../source.ts';
import { bytesOf, floatsOf, type ReadFile } from './data-set.ts';
import { gridOf, referenced } from './grid.ts';
import { conceptIn, parametersIn, provenanceOf, targetOf, type Provenance } from './provenance.ts';

/**
 * Markers of Microscopy Bulk Simple Annotations of ours. The counts are of markers: the report beside them has the rest.
 * @throws OverreadError `input/refused` for those of others, `input/inconsistent`
 */
export function readAnnotations(read: ReadFile, sources: readonly SourceInstance[]): { readonly result: PointsResult; readonly provenance: Provenance } {
  const { set } = read;
  const groups = items(set.AnnotationGroupSequence);
  const [identification] = items(groups[0]?.AnnotationGroupAlgorithmIdentificationSequence);
  const parameters = parametersIn(text(identification?.AlgorithmParameters));
  const provenance = provenanceOf(set, parameters);
  if (!provenance.ours) throw new OverreadError('input/refused', 'Expected annotations of Overread, got those of others. They are left to the viewer.', { expected: 'Overread', got: provenance.model.name });
  const uid = text(items(set.ReferencedImageSequence)[0]?.ReferencedSOPInstanceUID) ?? '';
  const source = gridOf(referenced([uid], sources).map(instance => ({ ...instance, frame: 1 })));
  // Binary values are beside the attributes: by the group's own elements.
  const elements = read.elements.find(({ tag }) => tag === '006A0002')?.items ?? [];
  const read32 = (of: (typeof elements)[number] | undefined, tag: string): Float32Array => floatsOf((of && bytesOf(read, of, tag)) ?? new Uint8Array());
  const points = groups.map((_, i) => read32(elements[i], '00660016').map(v => v - 0.5));
  const confidences = groups.map((_, i) => {
    const measured = elements[i]?.find(({ tag }) => tag === '00660121')?.items?.[0]?.find(({ tag }) => tag === '00660132')?.items?.[0];
    return read32(measured, '00660125').map(v => v / 100);
  });
  const classes = groups.map((group: Naturalized, i): CountedClass => ({
    target: targetOf(text(group.AnnotationGroupLabel) ?? '', conceptIn(group.AnnotationPropertyTypeCodeSequence)), count: points[i]!.length / 2, markers: points[i]!.length / 2,
  }));
  const total = points.reduce((sum, of) => sum + of.length / 2, 0);
  const editedAt = parameters.get('editedAt');
  const { ours: _, ...made } = provenance;
  return {
    provenance,
    result: {
      ...made, kind: 'points', source, classes, total: { count: total, markers: total },
      coordinates: Float32Array.from(points.flatMap(of => [...of])),
      confidences: Float32Array.from(confidences.flatMap(of => [...of])),
      classOf: Uint8Array.from(points.flatMap((of, i) => Array<number>(of.length / 2).fill(i))),
      ...(editedAt && { editedAt }),
    },
  };
}
