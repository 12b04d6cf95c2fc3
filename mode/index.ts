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

/** What we use of the host's own mode. */
interface HostMode {
  readonly routes: readonly [{
    readonly layoutInstance?: { readonly id: string; readonly props: LayoutProps };
    layoutTemplate(): { readonly id: string; readonly props: LayoutProps };
  }];
  readonly toolbarButtons?: readonly unknown[];
  /** From 3.13 on a list, of references too; in 3.12 the sections by name. In 3.11 the mode writes them as it is entered. */
  readonly toolbarSections?: readonly unknown[] | Readonly<Record<string, readonly string[]>>;
  readonly toolGroupAdditions?: Readonly<Record<string, readonly unknown[]>>;
  onModeEnter(args: ModeArguments): void;
  onModeExit(args: ModeArguments): void;
}

interface HostModule {
  readonly modeInstance?: HostMode;
  modeFactory(of: { modeConfiguration: object }): HostMode | Promise<HostMode>;
}

type LoadModules = (names: readonly string[]) => Promise<readonly (HostModule | undefined)[]>;

/**
 * The mode "Overread": OHIF's basic mode with all of its tools, and our panel first on the right. Nothing of OHIF is
 * bundled: the host's own mode is extended.
 */
const mode = {
  id: MODE_ID,

  async modeFactory({ loadModules }: { loadModules: LoadModules }) {
    const basic = await hostMode(loadModules);
    const [route] = basic.routes;
    const { id, props } = route.layoutInstance ?? route.layoutTemplate();
    const current = Array.isArray(basic.toolbarSections);
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
      ...toolbarOf(basic),
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
            // OHIF 3.11 has the panel with tools under another name, and no tools for it here.
            rightPanels: [PANEL_ID, ...props.rightPanels.map(panel => (panel === READING_PANEL && basic.toolbarSections ? SEGMENTATION_PANEL_ID : panel))],
            rightPanelClosed: false,
            viewports: props.viewports.map(viewport => ({ ...viewport, displaySetsToDisplay: [...viewport.displaySetsToDisplay] })),
          },
        }),
      }],
      onModeEnter(args: ModeArguments): void {
        basic.onModeEnter.call(this, args);
        if (current) addButtons(args.servicesManager);
        else addToOlder(args.servicesManager, basic);
      },
      onModeExit(args: ModeArguments): void {
        basic.onModeExit.call(this, args);
      },
    };
  },
};

export default mode;

/** `@ohif/mode-basic`; in OHIF 3.11, which has none, its only other one. */
async function hostMode(loadModules: LoadModules): Promise<HostMode> {
  for (const name of ['@ohif/mode-basic', '@ohif/mode-longitudinal']) {
    const [found] = await loadModules([name]).catch(() => []);
    if (found) return found.modeInstance ?? found.modeFactory({ modeConfiguration: {} });
  }
  throw new Error('Expected a viewer with @ohif/mode-basic or @ohif/mode-longitudinal (OHIF 3.11 or later), found neither: the mode Overread cannot be made.');
}

/** OHIF's own tools for labelmaps too, where it hands them out: what a model drew is edited with them. */
function toolbarOf({ toolbarButtons: buttons = [], toolbarSections: sections }: HostMode) {
  if (!Array.isArray(sections)) return { toolbarButtons: buttons, ...(sections && { toolbarSections: sections }) };
  return {
    toolbarButtons: [...buttons, { $reference: 'cornerstone.segmentationToolbarButtons' }, ...toolbarButtons],
    toolbarSections: [...sections, { $reference: 'cornerstone.segmentationToolbarSections' }],
  };
}

/** OHIF 3.11 and 3.12 take buttons and hotkeys as the mode is entered. */
function addToOlder({ services: { customizationService, toolbarService } }: ServicesManager, { toolbarSections }: HostMode): void {
  toolbarService.register?.(toolbarButtons);
  const primary = (toolbarSections as Readonly<Record<string, readonly string[]>> | undefined)?.primary;
  if (primary) {
    toolbarService.clearButtonSection('primary');
    toolbarService.updateSection('primary', [...primary, RUN_BUTTON, OVERLAYS_BUTTON]);
  } else toolbarService.updateSection('primary', [RUN_BUTTON, OVERLAYS_BUTTON]);
  customizationService.setCustomizations?.({ 'ohif.hotkeyBindings': { $push: hotkeyBindings } });
}

/** OHIF's panel of segmentations without the tools; the one with them takes its place. */
const READING_PANEL = '@ohif/extension-cornerstone.panelModule.panelSegmentation';

/** Brush, eraser and their like, in stack and in MPR viewports. */
function withTools(additions: HostMode['toolGroupAdditions'] = {}) {
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
