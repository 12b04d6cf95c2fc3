import type { Cornerstone, Services } from '../types/ohif.ts';

/** A labelmap's image in Cornerstone's cache: one label a pixel. */
export interface LabelmapImage {
  readonly referencedImageId?: string;
  readonly columns: number;
  readonly rows: number;
  readonly voxelManager: { getScalarData(): ArrayLike<number> & { set(data: ArrayLike<number>): void; fill(value: number): void }; setScalarData(data: ArrayLike<number>): void };
}

/** A segmentation's labelmap images by the imageId that each lies on. */
export function labelmapImages({ segmentationService }: Services, { cache }: Cornerstone, segmentationId: string): Map<string, LabelmapImage> {
  const ids = segmentationService.getSegmentation(segmentationId)?.representationData.Labelmap?.imageIds ?? [];
  const images = ids.map(id => cache.getImage(id) as LabelmapImage | undefined);
  return new Map(images.flatMap(image => (image?.referencedImageId ? [[image.referencedImageId, image] as const] : [])));
}

export function writeLabels({ voxelManager }: LabelmapImage, labels: ArrayLike<number> | 0): void {
  const scalars = voxelManager.getScalarData();
  if (labels === 0) scalars.fill(0);
  else scalars.set(labels);
  voxelManager.setScalarData(scalars);
}

/** Whether the image carries just these labels. */
export function holdsLabels({ voxelManager }: LabelmapImage, labels: ArrayLike<number>): boolean {
  const scalars = voxelManager.getScalarData();
  for (let i = 0; i < labels.length; i++) if (scalars[i] !== labels[i]) return false;
  return true;
}
