import type { Types } from '@cornerstonejs/core';

/** What is read of an annotation in Cornerstone's state. */
export interface DrawnAnnotation {
  readonly annotationUID: string;
  readonly isVisible?: boolean;
  readonly metadata: { readonly toolName: string; readonly referencedImageId?: string; readonly FrameOfReferenceUID?: string };
  readonly data: {
    readonly label?: string;
    readonly handles?: { readonly points?: readonly Types.Point3[] };
    readonly contour?: { readonly polyline?: readonly Types.Point3[]; readonly closed?: boolean };
  };
}

/** One step of Cornerstone's history, which the viewer's undo and redo buttons walk through. */
export interface Memo {
  restoreMemo(isUndo?: boolean): void;
}
