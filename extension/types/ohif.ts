import type { Types as CornerstoneTypes, cache, metaData } from '@cornerstonejs/core';
import type { DrawnAnnotation, Memo } from './annotations.ts';
import type { RepresentationSpecifier, SegmentationService, UINotificationService } from './segmentation.ts';

/**
 * The part of OHIF 3.13 that we call. OHIF's packages carry no types that resolve, and the prebuilt viewer hands its
 * services to the extension at run time: these declarations are the contract that we hold it to.
 */
export interface Subscription {
  unsubscribe(): void;
}

export interface PubSub<Events extends string> {
  readonly EVENTS: Readonly<Record<Events, string>>;
  subscribe(event: string, callback: (detail: never) => void): Subscription;
}

/** A naturalized DICOM instance as OHIF keeps it; every attribute may be absent. */
export interface DicomInstance {
  /** How the viewer names the image of an instance that is in a display set. */
  readonly imageId?: string;
  readonly StudyInstanceUID?: string;
  readonly SeriesInstanceUID?: string;
  readonly SOPInstanceUID?: string;
  readonly SOPClassUID?: string;
  readonly FrameOfReferenceUID?: string;
  readonly PatientID?: string;
  readonly IssuerOfPatientID?: string;
  readonly Modality?: string;
  readonly ViewPosition?: string;
  readonly ViewCodeSequence?: unknown;
  readonly BodyPartExamined?: string;
  readonly StudyDescription?: string;
  readonly SeriesDescription?: string;
  readonly SyntheticData?: string;
  readonly ImageType?: string | readonly string[];
  readonly DerivationDescription?: string;
  readonly DerivationCodeSequence?: unknown;
  readonly ContributingEquipmentSequence?: unknown;
  readonly Manufacturer?: string;
  readonly ManufacturerModelName?: string;
  readonly ProtocolName?: string;
  readonly ContrastBolusAgent?: string;
  readonly ScanningSequence?: string | readonly string[];
  readonly EchoTime?: number | string;
  readonly RepetitionTime?: number | string;
  readonly InversionTime?: number | string;
  readonly SeriesNumber?: number | string;
  readonly InstanceNumber?: number | string;
  /** YYYYMMDD and HHMMSS, as DICOM writes them. */
  readonly StudyDate?: string;
  readonly StudyTime?: string;
  /** YYYYMMDDHHMMSS.FFFFFF&ZZXX */
  readonly AcquisitionDateTime?: string;
  readonly AcquisitionDate?: string;
  readonly AcquisitionTime?: string;
  readonly ContentDate?: string;
  readonly ContentTime?: string;
  readonly PhotometricInterpretation?: string;
  readonly AvailableTransferSyntaxUID?: string;
  readonly NumberOfFrames?: number | string;
  readonly BitsStored?: number | string;
  readonly PixelRepresentation?: number | string;
  readonly SamplesPerPixel?: number | string;
  readonly RescaleSlope?: number | string;
  readonly RescaleIntercept?: number | string;
  readonly PixelPaddingValue?: number | string;
  readonly PixelPaddingRangeLimit?: number | string;
  readonly PixelSpacing?: readonly (number | string)[];
  readonly ImagerPixelSpacing?: readonly (number | string)[];
  readonly NominalScannedPixelSpacing?: readonly (number | string)[];
  readonly ImagePositionPatient?: readonly (number | string)[];
  readonly ImageOrientationPatient?: readonly (number | string)[];
  readonly ModalityLUTSequence?: unknown;
  readonly PixelMeasuresSequence?: unknown;
  /** Not enumerable on OHIF's instances: read it off the original, never off a copy. Counts from 1. */
  readonly frameNumber?: number | string;
}

export interface DisplaySet {
  readonly displaySetInstanceUID: string;
  readonly StudyInstanceUID: string;
  readonly SeriesInstanceUID: string;
  readonly Modality?: string;
  readonly SeriesDescription?: string;
  readonly imageIds?: readonly string[];
  readonly instances?: readonly DicomInstance[];
}

export interface DisplaySetService extends PubSub<'DISPLAY_SETS_ADDED' | 'DISPLAY_SETS_CHANGED' | 'DISPLAY_SETS_REMOVED'> {
  getDisplaySetByUID(displaySetInstanceUID: string): DisplaySet | undefined;
  getActiveDisplaySets(): readonly DisplaySet[];
}

export interface GridViewport {
  readonly viewportId: string;
  readonly displaySetInstanceUIDs?: readonly string[];
  /** Where it stands in the layout, and in shares of the grid. */
  readonly positionId?: string;
  readonly x?: number;
  readonly y?: number;
  readonly width?: number;
  readonly height?: number;
}

export interface GridState {
  readonly activeViewportId?: string | null;
  readonly viewports: ReadonlyMap<string, GridViewport>;
  readonly layout?: { readonly numRows?: number; readonly numCols?: number; readonly layoutType?: string };
  readonly isHangingProtocolLayout?: boolean;
}

export interface GridLayout {
  readonly numRows: number;
  readonly numCols: number;
  readonly layoutType: string;
  readonly layoutOptions: readonly object[];
  readonly activeViewportId?: string;
  /** A viewport for each place; OHIF writes into what it is given. */
  findOrCreateViewport(position: number, positionId: string): object | undefined;
  readonly isHangingProtocolLayout?: boolean;
}

export interface ViewportGridService extends PubSub<'ACTIVE_VIEWPORT_ID_CHANGED' | 'GRID_STATE_CHANGED' | 'VIEWPORTS_READY'> {
  getActiveViewportId(): string | null | undefined;
  /** Throws until OHIF's React providers have mounted. */
  getState(): GridState;
  setLayout?(layout: GridLayout): Promise<void> | void;
  setDisplaySetsForViewport(of: { readonly viewportId: string; readonly displaySetInstanceUIDs: readonly string[]; readonly viewportOptions?: { readonly initialImageOptions?: { readonly index: number } } }): void;
}

export interface CornerstoneViewport {
  readonly id: string;
  readonly element: HTMLElement;
  /** 'stack', 'orthographic' (a plane of a volume), 'volume3d' and others. */
  readonly type?: string;
  getCurrentImageId?(): string | undefined;
}

export interface CornerstoneViewportService extends PubSub<'VIEWPORT_DATA_CHANGED'> {
  getCornerstoneViewport(viewportId: string): CornerstoneViewport | null | undefined;
}

export interface CustomizationService {
  getCustomization(id: string): unknown;
  setCustomizations?(customizations: Readonly<Record<string, object>>): void;
}

export interface ToolbarService {
  register?(buttons: readonly object[]): void;
  clearButtonSection(section: string): void;
  /** Appends to the section; on an empty one it keeps the array that it is given. */
  updateSection(section: string, buttonIds: string[]): void;
  refreshToolbarState(options: { viewportId: string }): void;
}

export interface StudyMetadata {
  readonly StudyInstanceUID: string;
}

/** What OHIF hands to a custom attribute of a study; of a display set it may hand nothing. */
export interface MatchOptions {
  /** In the order of the viewer's address; the first is the one to read. */
  readonly studies?: readonly StudyMetadata[];
  /** Of this study when display sets are chosen, of all studies when a protocol is. */
  readonly displaySets?: readonly DisplaySet[];
  readonly allDisplaySets?: readonly DisplaySet[];
}

export interface HangingProtocolService {
  addCustomAttribute(id: string, name: string, callback: (of: never, options?: MatchOptions) => string): void;
}

export interface UserAuthenticationService {
  /** Who is signed in, as the identity provider tells it. */
  getUser?(): { readonly profile?: { readonly name?: string } } | null | undefined;
  getAuthorizationHeader(): Readonly<Record<string, string>> | undefined;
}

export interface PanelService {
  activatePanel(panelId: string, forceActive?: boolean): void;
}

export interface Services {
  readonly userAuthenticationService?: UserAuthenticationService;
  readonly displaySetService: DisplaySetService;
  readonly viewportGridService: ViewportGridService;
  readonly cornerstoneViewportService: CornerstoneViewportService;
  readonly segmentationService: SegmentationService;
  readonly uiNotificationService: UINotificationService;
  readonly customizationService: CustomizationService;
  readonly toolbarService: ToolbarService;
  readonly hangingProtocolService: HangingProtocolService;
  readonly panelService?: PanelService;
}

export interface ServicesManager {
  readonly services: Services;
}

export interface ExtensionManager {
  getModuleEntry(id: string): { readonly exports?: { getCornerstoneLibraries?(): { cornerstone: Cornerstone; cornerstoneTools: CornerstoneTools } } } | undefined;
  /** The first is the one that is used. */
  getActiveDataSource?(): readonly { readonly retrieve?: { getWadoDicomWebClient?(): unknown } }[];
}

export interface CommandsManager {
  runCommand(name: string, options?: object): unknown;
}

/** What OHIF hands to `preRegistration` and to every module. */
export interface HostContext {
  readonly servicesManager: ServicesManager;
  readonly commandsManager: CommandsManager;
  readonly extensionManager: ExtensionManager;
  readonly appConfig?: { readonly overread?: unknown };
}

/** The host's own Cornerstone, got through its extension: none is bundled. */
export interface Cornerstone {
  readonly version?: string;
  readonly cache: typeof cache;
  readonly metaData: typeof metaData;
  readonly imageLoader: { loadAndCacheImage(imageId: string): Promise<CornerstoneTypes.IImage> };
  readonly eventTarget: EventTarget;
  readonly Enums: { readonly Events: { readonly STACK_NEW_IMAGE: string; readonly IMAGE_RENDERED: string; readonly IMAGE_LOADED: string } };
  readonly utilities: { readonly HistoryMemo: { readonly DefaultHistoryMemo: { push(memo: Memo): unknown } } };
}

export type AnnotationEvent = 'ANNOTATION_ADDED' | 'ANNOTATION_COMPLETED' | 'ANNOTATION_MODIFIED' | 'ANNOTATION_REMOVED' | 'ANNOTATION_VISIBILITY_CHANGE';

/** The host's own Cornerstone Tools. */
export interface CornerstoneTools {
  /** Their values name events of Cornerstone's `eventTarget`. */
  readonly Enums: { readonly Events: Readonly<Record<AnnotationEvent | 'TOOL_ACTIVATED', string>> };
  readonly annotation: { readonly state: { getAllAnnotations(): readonly DrawnAnnotation[] } };
  readonly segmentation: {
    readonly triggerSegmentationEvents: {
      triggerSegmentationDataModified(segmentationId: string): void;
      triggerSegmentationRepresentationModified(viewportId: string, segmentationId: string, type: 'Labelmap'): void;
    };
    readonly config: {
      readonly visibility: { setSegmentationRepresentationVisibility(viewportId: string, specifier: RepresentationSpecifier, visible: boolean): void };
    };
  };
}
