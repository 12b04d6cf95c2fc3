import type { DisplaySet, PubSub } from './ohif.ts';

export type Rgba = [red: number, green: number, blue: number, alpha: number];

export interface SegmentOptions {
  readonly segmentIndex: number;
  readonly label: string;
  readonly active: boolean;
  readonly locked?: boolean;
}

/** What Cornerstone's segmentation state holds of a labelmap. */
export interface Segmentation {
  readonly segmentationId: string;
  readonly label: string;
  /** By segment number. */
  readonly segments?: Readonly<Record<number, { readonly label?: string } | undefined>>;
  readonly representationData: { readonly Labelmap?: { readonly imageIds?: readonly string[] } };
}

export interface SegmentationRepresentation {
  readonly segmentationId: string;
  readonly viewportId: string;
  readonly visible: boolean;
}

export interface RepresentationSpecifier {
  readonly segmentationId: string;
  readonly type: 'Labelmap';
}

/** How Cornerstone draws a labelmap; the `…Inactive` ones hold where another segmentation is the active one. */
export interface LabelmapStyle {
  readonly renderOutline: boolean;
  readonly renderFill: boolean;
  readonly outlineWidth: number;
  readonly outlineOpacity: number;
  readonly fillAlpha: number;
  readonly renderOutlineInactive: boolean;
  readonly renderFillInactive: boolean;
  readonly outlineWidthInactive: number;
  readonly outlineOpacityInactive: number;
  readonly fillAlphaInactive: number;
}

export interface SegmentationService extends PubSub<'SEGMENTATION_ADDED' | 'SEGMENTATION_REMOVED' | 'SEGMENTATION_DATA_MODIFIED' | 'SEGMENTATION_REPRESENTATION_REMOVED' | 'SEGMENTATION_REPRESENTATION_MODIFIED'> {
  createLabelmapForDisplaySet(
    displaySet: DisplaySet,
    options: { readonly segmentationId?: string; readonly label: string; readonly segments: Readonly<Record<number, SegmentOptions>> },
  ): Promise<string>;
  getSegmentation(segmentationId: string): Segmentation | undefined;
  getSegmentations(): readonly Segmentation[];
  getSegmentationRepresentations(viewportId: string, specifier?: Partial<RepresentationSpecifier>): readonly SegmentationRepresentation[];
  getViewportIdsWithSegmentation(segmentationId: string): readonly string[];
  addSegmentationRepresentation(viewportId: string, specifier: RepresentationSpecifier): Promise<void>;
  removeRepresentationsFromViewport?(viewportId: string, specifier: RepresentationSpecifier): void;
  /** Its name in OHIF 3.11. */
  removeSegmentationRepresentations?(viewportId: string, specifier: RepresentationSpecifier): void;
  /** Of one that is there: changes what is given, and leaves the rest. */
  addOrUpdateSegmentation?(change: { readonly segmentationId: string; readonly label: string }): void;
  setSegmentColor(viewportId: string, segmentationId: string, segmentIndex: number, color: Rgba): void;
  setStyle(specifier: { readonly viewportId?: string; readonly segmentationId?: string; readonly type: 'Labelmap' }, style: Partial<LabelmapStyle>): void;
  setActiveSegmentation(viewportId: string, segmentationId: string): void;
  remove(segmentationId: string): void;
}

export interface Notification {
  readonly title: string;
  readonly message: string;
  readonly type: 'info' | 'success' | 'warning' | 'error';
  readonly duration?: number;
  readonly id?: string;
  /** OHIF drops a notice that it showed in the last 30 s unless this is set. */
  readonly allowDuplicates?: boolean;
}

export interface UINotificationService {
  show(notification: Notification): unknown;
}
