/** Equal to the npm package's name: from 3.14 on OHIF asks for that. */
export const EXTENSION_ID = 'overread';
export const PANEL_NAME = 'ai';
/** What a mode writes in its list of panels. */
export const PANEL_ID = `${EXTENSION_ID}.panelModule.${PANEL_NAME}`;
/** The hanging protocol for chest radiographs. */
export const CHEST_PROTOCOL_ID = 'overread-chest';

/** OHIF's panel of labelmaps, with the brush and the eraser. */
export const SEGMENTATION_PANEL_ID = '@ohif/extension-cornerstone.panelModule.panelSegmentationWithToolsLabelMap';
