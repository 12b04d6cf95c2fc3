import { PANEL_ID } from './id.ts';
import type { Session } from './session.ts';

export const RUN_BUTTON = 'OverreadRun';
export const OVERLAYS_BUTTON = 'OverreadOverlays';
const CAN_RUN = 'evaluate.overread.canRun';
const HAS_OVERLAYS = 'evaluate.overread.hasOverlays';

/** Buttons for a mode's `toolbarButtons`. */
export const toolbarButtons = [
  {
    id: RUN_BUTTON,
    uiType: 'ohif.toolButton',
    props: { icon: 'icon-tool-click-segment', label: 'Run AI', tooltip: 'Run AI on this image (Shift A)', commands: 'overreadRun', evaluate: CAN_RUN },
  },
  {
    id: OVERLAYS_BUTTON,
    uiType: 'ohif.toolButton',
    props: { icon: 'toggle-dicom-overlay', label: 'AI overlays', tooltip: 'Show or hide all AI overlays (Shift H)', commands: 'overreadToggleOverlays', evaluate: HAS_OVERLAYS },
  },
];

/** Hotkeys for a mode's `ohif.hotkeyBindings`; OHIF 3.13 binds neither. */
export const hotkeyBindings = [
  { commandName: 'overreadRun', label: 'Run AI', keys: ['shift+a'], isEditable: true },
  { commandName: 'overreadToggleOverlays', label: 'Show or hide AI overlays', keys: ['shift+h'], isEditable: true },
];

export { PANEL_ID };

/** OHIF's toolbar module: when our buttons can be pressed. */
export function toolbarModule(session: () => Session) {
  return [
    {
      name: CAN_RUN,
      evaluate: () => {
        const { hasImage, running } = session().state.get();
        if (session().comparing.comparer.state.get().blinded) return { disabled: true, disabledText: 'A blinded reading is on' };
        if (running && !running.automatic) return { disabled: true, disabledText: 'A model is running' };
        return hasImage ? { disabled: false } : { disabled: true, disabledText: 'Open an image first' };
      },
    },
    {
      name: HAS_OVERLAYS,
      evaluate: () => {
        const { overlaysShown, openStudies } = session().state.get();
        const some = session().results.ofStudies(openStudies).length > 0 || session().slides.results.all().some(slide => openStudies.has(slide.studyInstanceUID));
        return some ? { disabled: false, isActive: overlaysShown } : { disabled: true, disabledText: 'There are no AI overlays yet' };
      },
    },
  ];
}
