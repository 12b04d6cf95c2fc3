import type { DrawnAnnotation } from '../../../extension/types/annotations.ts';
import type { Cornerstone, CornerstoneTools, DicomInstance, DisplaySet, Services } from '../../../extension/types/ohif.ts';

/** A viewer of plain objects: display sets of one series each, viewports, and a segmentation service that remembers. */
export class FakeViewer {
  readonly images = new Map<string, { instance: DicomInstance; columns: number; rows: number }>();
  readonly viewports = new Map<string, { displaySet: DisplaySet; imageId: string }>();
  readonly segmentations = new Map<string, { label: string; imageIds: string[] }>();
  readonly labelmaps = new Map<string, { referencedImageId: string; columns: number; rows: number; scalars: Uint8Array }>();
  readonly representations = new Map<string, { segmentationId: string; viewportId: string; visible: boolean }>();
  readonly styles = new Map<string, Record<string, unknown>>();
  displaySets: DisplaySet[] = [];
  #made = 0;
  readonly #opened = new Map<string, { readonly id: string; getCurrentImageId(): string }>();

  addSeries(uid: string, sops: readonly string[], { study = '1', series = '1.2', columns = 2, rows = 2, attributes = {} }: { study?: string; series?: string; columns?: number; rows?: number; attributes?: DicomInstance } = {}): DisplaySet {
    const imageIds = sops.map(sop => {
      this.images.set(`image:${sop}`, { instance: { StudyInstanceUID: study, SeriesInstanceUID: series, SOPInstanceUID: sop, ...attributes }, columns, rows });
      return `image:${sop}`;
    });
    const displaySet = { displaySetInstanceUID: uid, StudyInstanceUID: study, SeriesInstanceUID: series, imageIds };
    this.displaySets.push(displaySet);
    return displaySet;
  }

  show(viewportId: string, displaySet: DisplaySet, imageId = displaySet.imageIds![0]!): void {
    this.viewports.set(viewportId, { displaySet, imageId });
  }

  /** Closes a viewport and opens it under the same name. */
  reopen(viewportId: string): void {
    this.#opened.delete(viewportId);
  }

  drawnOn(viewportId: string): { label: string; visible: boolean; labels: number[][] }[] {
    return [...this.representations.values()].filter(r => r.viewportId === viewportId).map(r => {
      const { label, imageIds } = this.segmentations.get(r.segmentationId)!;
      return { label, visible: r.visible, labels: imageIds.map(id => [...this.labelmaps.get(id)!.scalars]) };
    });
  }

  readonly cornerstone = {
    metaData: { get: (_: string, id: string) => this.images.get(id)?.instance },
    cache: {
      getImage: (id: string) => {
        const labelmap = this.labelmaps.get(id);
        return labelmap && { ...labelmap, voxelManager: { getScalarData: () => labelmap.scalars, setScalarData: () => undefined } };
      },
    },
  } as unknown as Cornerstone;

  annotations: DrawnAnnotation[] = [];

  readonly tools = {
    Enums: {
      Events: {
        ANNOTATION_ADDED: 'ANNOTATION_ADDED', ANNOTATION_COMPLETED: 'ANNOTATION_COMPLETED', ANNOTATION_MODIFIED: 'ANNOTATION_MODIFIED',
        ANNOTATION_REMOVED: 'ANNOTATION_REMOVED', ANNOTATION_VISIBILITY_CHANGE: 'ANNOTATION_VISIBILITY_CHANGE', TOOL_ACTIVATED: 'TOOL_ACTIVATED',
      },
    },
    annotation: { state: { getAllAnnotations: () => this.annotations } },
    segmentation: {
      triggerSegmentationEvents: { triggerSegmentationDataModified: jest.fn(), triggerSegmentationRepresentationModified: jest.fn() },
      config: {
        visibility: {
          setSegmentationRepresentationVisibility: (viewportId: string, { segmentationId }: { segmentationId: string }, visible: boolean) => {
            const representation = this.representations.get(`${viewportId} ${segmentationId}`);
            if (representation) representation.visible = visible;
          },
        },
      },
    },
  } satisfies CornerstoneTools;

  readonly services = {
    displaySetService: {
      getActiveDisplaySets: () => this.displaySets,
      getDisplaySetByUID: (uid: string) => this.displaySets.find(d => d.displaySetInstanceUID === uid),
    },
    viewportGridService: {
      getActiveViewportId: () => [...this.viewports.keys()][0],
      getState: () => ({ viewports: new Map([...this.viewports].map(([id, v]) => [id, { displaySetInstanceUIDs: [v.displaySet.displaySetInstanceUID] }])) }),
    },
    cornerstoneViewportService: {
      // The same one until the viewport is closed.
      getCornerstoneViewport: (id: string) => {
        if (!this.viewports.has(id)) this.#opened.delete(id);
        else if (!this.#opened.has(id)) this.#opened.set(id, { id, getCurrentImageId: () => this.viewports.get(id)!.imageId });
        return this.#opened.get(id);
      },
    },
    segmentationService: {
      createLabelmapForDisplaySet: async (displaySet: DisplaySet, { label }: { label: string }) => {
        const segmentationId = `segmentation ${++this.#made}`;
        const imageIds = displaySet.imageIds!.map(referencedImageId => {
          const { columns, rows } = this.images.get(referencedImageId)!;
          this.labelmaps.set(`${segmentationId} ${referencedImageId}`, { referencedImageId, columns, rows, scalars: new Uint8Array(columns * rows) });
          return `${segmentationId} ${referencedImageId}`;
        });
        this.segmentations.set(segmentationId, { label, imageIds });
        return segmentationId;
      },
      getSegmentation: (id: string) => {
        const segmentation = this.segmentations.get(id);
        return segmentation && { segmentationId: id, label: segmentation.label, representationData: { Labelmap: { imageIds: segmentation.imageIds } } };
      },
      getSegmentations: () => [...this.segmentations].map(([segmentationId, { label, imageIds }]) => ({ segmentationId, label, representationData: { Labelmap: { imageIds } } })),
      getSegmentationRepresentations: (viewportId: string, { segmentationId }: { segmentationId?: string } = {}) =>
        [...this.representations.values()].filter(r => r.viewportId === viewportId && (!segmentationId || r.segmentationId === segmentationId)),
      getViewportIdsWithSegmentation: (id: string) => [...this.representations.values()].filter(r => r.segmentationId === id).map(r => r.viewportId),
      addSegmentationRepresentation: async (viewportId: string, { segmentationId }: { segmentationId: string }) => {
        this.representations.set(`${viewportId} ${segmentationId}`, { segmentationId, viewportId, visible: true });
      },
      removeRepresentationsFromViewport: (viewportId: string, { segmentationId }: { segmentationId: string }) =>
        this.representations.delete(`${viewportId} ${segmentationId}`),
      addOrUpdateSegmentation: ({ segmentationId, label }: { segmentationId: string; label: string }) => {
        const segmentation = this.segmentations.get(segmentationId);
        if (segmentation) segmentation.label = label;
      },
      setSegmentColor: jest.fn(),
      setStyle: ({ viewportId }: { viewportId: string }, style: Record<string, unknown>) => this.styles.set(viewportId, style),
      remove: (id: string) => {
        this.segmentations.delete(id);
        for (const [key, r] of this.representations) if (r.segmentationId === id) this.representations.delete(key);
      },
    },
  } as unknown as Services;
}
