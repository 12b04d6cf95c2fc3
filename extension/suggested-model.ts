import type { State } from './state.ts';

/** The chosen model where it reads images of a modality, else the first that does; undefined where none does. */
export function suggestedModel({ catalogue, modelId }: Pick<State, 'catalogue' | 'modelId'>, modality: string): string | undefined {
  const reading = (catalogue?.entries ?? []).filter(({ manifest }) => manifest.input.modality.includes(modality)).map(({ manifest }) => manifest.id);
  return reading.find(id => id === modelId) ?? reading[0];
}
