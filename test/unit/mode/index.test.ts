import mode from '../../../mode/index.ts';
import { OVERLAYS_BUTTON, RUN_BUTTON } from '../../../extension/toolbar.ts';

const layout = { id: 'layout', props: { leftPanels: ['left'], rightPanels: ['@ohif/extension-cornerstone.panelModule.panelSegmentation', 'measurements'], viewports: [{ displaySetsToDisplay: ['stack'] }] } };
const base = { onModeEnter: jest.fn(), onModeExit: jest.fn(), hide: true };

/** A viewer's services that remember. */
function services(toolbarSections?: unknown) {
  const sections = new Map<string, string[]>();
  const said: object[] = [];
  const registered: object[] = [];
  const all = {
    customizationService: { getCustomization: () => toolbarSections, setCustomizations: (of: object) => said.push(of) },
    toolbarService: {
      register: (buttons: readonly object[]) => registered.push(...buttons),
      clearButtonSection: (name: string) => sections.delete(name),
      updateSection: (name: string, ids: string[]) => sections.set(name, [...(sections.get(name) ?? []), ...ids]),
    },
  };
  return { sections, said, registered, args: { servicesManager: { services: all } } as never };
}

/** The shape of each version's own mode. */
const HOSTS = {
  '3.13': { name: '@ohif/mode-basic', module: { modeInstance: { ...base, routes: [{ layoutInstance: layout }], toolbarButtons: [{ $reference: 'x' }], toolbarSections: [{ primary: ['Zoom'] }], toolGroupAdditions: {} } } },
  '3.12': { name: '@ohif/mode-basic', module: { modeInstance: { ...base, routes: [{ layoutInstance: layout }], toolbarButtons: [{ id: 'Zoom' }], toolbarSections: { primary: ['Zoom'] } } } },
  '3.11': { name: '@ohif/mode-longitudinal', module: { modeFactory: () => ({ ...base, routes: [{ layoutTemplate: () => layout }] }) } },
};

test.each(Object.entries(HOSTS))('in OHIF %s it is the host\'s own mode, with our panel first and our buttons last', async (version, { name, module }) => {
  const loadModules = async ([wanted]: readonly string[]) => {
    // An address without a host: 3.11 has no basic mode.
    if (wanted !== name) throw new TypeError(`Failed to resolve module specifier '${wanted}'`);
    return [module as never];
  };
  const made = await mode.modeFactory({ loadModules });
  expect(made).toMatchObject({ id: 'overread-mode', routeName: 'overread', hide: false, hangingProtocol: ['overread-chest', 'default'] });
  const { props } = made.routes[0]!.layoutTemplate();
  expect(props.rightPanels).toEqual(['overread.panelModule.ai', `@ohif/extension-cornerstone.panelModule.panelSegmentation${version === '3.11' ? '' : 'WithToolsLabelMap'}`, 'measurements']);
  expect(layout.props.rightPanels).toHaveLength(2);
  const { args, sections, said, registered } = services(version === '3.13' ? [{ primary: ['Zoom'] }] : undefined);
  made.onModeEnter(args);
  made.onModeEnter(args);
  expect(base.onModeEnter).toHaveBeenCalled();
  const primary = [...(sections.get('primary') ?? [])];
  expect(primary.slice(-2)).toEqual([RUN_BUTTON, OVERLAYS_BUTTON]);
  if (version !== '3.11') expect(primary).toEqual(['Zoom', RUN_BUTTON, OVERLAYS_BUTTON]);
  expect([registered.length > 0, said.length > 0]).toEqual(version === '3.13' ? [false, false] : [true, true]);
});

test('a viewer without either mode is told what is missing', async () => {
  await expect(mode.modeFactory({ loadModules: async () => [undefined] })).rejects.toThrow('OHIF 3.11 or later');
});
