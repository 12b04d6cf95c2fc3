import { CHEST_PROTOCOL_ID, PANEL_ID, SEGMENTATION_PANEL_ID } from '../extension/id.ts';
import { hotkeyBindings, OVERLAYS_BUTTON, RUN_BUTTON, toolbarButtons } from '../extension/toolbar.ts';
import type { ServicesManager } from '../extension/types/ohif.ts';

const MODE_ID = 'overread-mode';

interface ModeArguments {
  readonly servicesManager: ServicesManager;
}

interface LayoutProps {
  readonly rightPanels: readonly string[];
  readonly leftPanels: readonly string[];
  readonly viewports: readonly { readonly displaySetsToDisplay: readonly string[] }[];
}

/** What we use of the host's `@ohif/mode-basic`. */
interface BasicModeInstance {
  readonly routes: readonly [{ readonly layoutInstance: { readonly id: string; readonly props: LayoutProps } }];
  readonly toolbarButtons: readonly unknown[];
  readonly toolbarSections: readonly unknown[];
  readonly toolGroupAdditions?: Readonly<Record<string, readonly unknown[]>>;
  onModeEnter(args: ModeArguments): void;
  onModeExit(args: ModeArguments): void;
}

type LoadModules = (names: readonly string[]) => Promise<readonly [{ readonly modeInstance: BasicModeInstance }]>;

/**
 * The mode "Overread": OHIF's basic mode with all of its tools, and our panel first on the right. Nothing of OHIF is
 * bundled: the host's own mode is extended.
 */
const mode = {
  id: MODE_ID,

  async modeFactory({ loadModules }: { loadModules: LoadModules }) {
    const [{ modeInstance: basic }] = await loadModules(['@ohif/mode-basic']);
    const [route] = basic.routes;
    const { id, props } = route.layoutInstance;
    return {
      ...basic,
      id: MODE_ID,
      routeName: 'overread',
      displayName: 'Overread',
      hide: false,
      // The first that matches the study; OHIF's own when none does.
      hangingProtocol: [CHEST_PROTOCOL_ID, 'default'],
      modeCustomizations: {
        'ohif.hotkeyBindings': { $push: hotkeyBindings },
      },
      // OHIF's own tools for labelmaps: what a model drew is edited with them.
      toolbarButtons: [...basic.toolbarButtons, { $reference: 'cornerstone.segmentationToolbarButtons' }, ...toolbarButtons],
      toolbarSections: [...basic.toolbarSections, { $reference: 'cornerstone.segmentationToolbarSections' }],
      toolGroupAdditions: withTools(basic.toolGroupAdditions),
      routes: [{
        ...route,
        path: 'overread',
        // A fresh object each time: OHIF takes it apart.
        layoutTemplate: () => ({
          id,
          props: {
            ...props,
            leftPanels: [...props.leftPanels],
            rightPanels: [PANEL_ID, ...props.rightPanels.map(panel => (panel === READING_PANEL ? SEGMENTATION_PANEL_ID : panel))],
            rightPanelClosed: false,
            viewports: props.viewports.map(viewport => ({ ...viewport, displaySetsToDisplay: [...viewport.displaySetsToDisplay] })),
          },
        }),
      }],
      onModeEnter(args: ModeArguments): void {
        basic.onModeEnter.call(this, args);
        addButtons(args.servicesManager);
      },
      onModeExit(args: ModeArguments): void {
        basic.onModeExit.call(this, args);
      },
    };
  },
};

export default mode;

/** OHIF's panel of segmentations without the tools; the one with them takes its place. */
const READING_PANEL = '@ohif/extension-cornerstone.panelModule.panelSegmentation';

/** Brush, eraser and their like, in stack and in MPR viewports. */
function withTools(additions: BasicModeInstance['toolGroupAdditions'] = {}) {
  const tools = { $reference: 'cornerstone.segmentationTools' };
  return { ...additions, default: [...(additions['default'] ?? []), tools], mpr: [...(additions['mpr'] ?? []), tools] };
}

/**
 * Puts our buttons behind OHIF's primary ones. `updateSection` pushes to the array that it was given, which other modes
 * share: so the section gets an array of its own.
 */
function addButtons({ services: { customizationService, toolbarService } }: ServicesManager): void {
  const sections = [customizationService.getCustomization('toolbarSections') ?? []].flat() as { readonly primary?: readonly string[] }[];
  const primary = sections.findLast(section => section.primary)?.primary ?? [];
  toolbarService.clearButtonSection('primary');
  toolbarService.updateSection('primary', [...primary, RUN_BUTTON, OVERLAYS_BUTTON]);
}
