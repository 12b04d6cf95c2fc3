import type { Session as SessionType } from '../../../extension/session.ts';
import type { Cornerstone, HostContext } from '../../../extension/types/ohif.ts';
import type { Image } from '../../../src/image/image.ts';
import { FakeViewer } from './fake-viewer.ts';
import { manifest, result, twoViews } from './made.ts';

const run = jest.fn(async ({ images: [sent] }: { images: Image[] }) => result(sent));
jest.mock('../../../src/engine-client.ts', () => ({
  connectEngine: () => ({ start: async () => result().device, run, explain: () => new Promise(() => undefined) }),
}));

const settle = () => new Promise(resolve => setTimeout(resolve, 20));

/** A page of the viewer with one radiograph open, which its cache has or has not. */
async function setup(overread: object) {
  const page = new EventTarget();
  Object.assign(globalThis, {
    location: { href: 'https://viewer.example/' }, addEventListener: page.addEventListener.bind(page), removeEventListener: page.removeEventListener.bind(page),
  });
  jest.spyOn(globalThis, 'fetch').mockImplementation(async input => Response.json(String(input).endsWith('index.json') ? [{ id: 'lung-unet' }] : manifest()));
  const viewer = new FakeViewer();
  viewer.show('v', viewer.addSeries('d', ['a'], { attributes: { Modality: 'CR', ViewPosition: 'PA' } }));
  const cached = new Set<string>();
  const eventTarget = new EventTarget();
  const cornerstone = {
    ...viewer.cornerstone, eventTarget, cache: { getImage: (id: string) => viewer.cornerstone.cache.getImage(id) ?? (cached.has(id) ? {} : undefined) },
    Enums: { Events: { STACK_NEW_IMAGE: 'new', IMAGE_RENDERED: 'rendered', IMAGE_LOADED: 'loaded' } },
    imageLoader: { loadAndCacheImage: async () => ({ rows: 2, columns: 2, voxelManager: { getScalarData: () => new Uint8Array(4) } }) },
  };
  const heard = { EVENTS: {}, subscribe: () => ({ unsubscribe: () => undefined }) };
  const show = jest.fn();
  const services = Object.fromEntries(
    ['displaySetService', 'viewportGridService', 'cornerstoneViewportService', 'segmentationService', 'uiNotificationService', 'toolbarService']
      .map(name => [name, { ...heard, show, refreshToolbarState: () => undefined, ...(viewer.services as unknown as Record<string, object>)[name] }]),
  );
  const { Session } = await import('../../../extension/session.ts');
  const session: SessionType = new Session({
    servicesManager: { services }, commandsManager: {}, appConfig: { overread },
    extensionManager: { getModuleEntry: () => ({ exports: { getCornerstoneLibraries: () => ({ cornerstone, cornerstoneTools: viewer.tools }) } }) },
  } as unknown as HostContext);
  const load = () => {
    eventTarget.dispatchEvent(new Event('loaded'));
    cached.add('image:a'); // Cornerstone's cache has it a little later
  };
  return { session, viewer, load, show };
}
beforeEach(() => run.mockClear());
afterEach(() => jest.restoreAllMocks());

describe('the version of the viewer', () => {
  it.each([['5.6.8', undefined], ['4.15.29', undefined], ['4.5.13', undefined], ['6.0.1', '6.0.1'], ['5.60.0', '5.60.0'], [undefined, 'no stated version']])('of Cornerstone %s is said where it was never tried', async (version, said) => {
    const { untriedViewer } = await import('../../../extension/host.ts');
    if (said) expect(untriedViewer({ version } as Cornerstone)).toContain(said);
    else expect(untriedViewer({ version } as Cornerstone)).toBeUndefined();
  });

  it('stands in the state, for the panel', async () => {
    const { session } = await setup({});
    expect(session.state.get().viewerNote).toContain('not tried with this version of the viewer');
  });
});

describe('the session of a page', () => {
  it('runs what the site configured once the viewer has the image, and says nothing', async () => {
    const { session, load, show } = await setup({ autoRun: { models: ['lung-unet'] } });
    session.enter();
    await settle();
    expect(run).not.toHaveBeenCalled();
    load();
    await settle();
    load();
    await settle();
    expect(run).toHaveBeenCalledTimes(1);
    expect(session.results.all()).toHaveLength(1);
    expect(show).not.toHaveBeenCalled();
    session.leave();
  });

  it('runs nothing by itself where nothing is configured', async () => {
    const { session, load } = await setup({});
    session.enter();
    load();
    await settle();
    expect(run).not.toHaveBeenCalled();
    session.leave();
  });

  it('chooses the first model that reads what is on screen, until the user or the site chooses', async () => {
    const models = { counter: manifest({ id: 'counter', input: { ...manifest().input, modality: ['SM'] } }), 'lung-unet': manifest() };
    const catalogueOf = () => jest.spyOn(globalThis, 'fetch').mockImplementation(async input => Response.json(
      String(input).endsWith('index.json') ? Object.keys(models).map(id => ({ id })) : Object.entries(models).find(([id]) => String(input).includes(id))![1],
    ));
    const { session } = await setup({});
    catalogueOf();
    session.enter();
    await settle();
    expect(session.state.get().modelId).toBe('lung-unet');
    session.chooseModel('counter');
    session.results.keep(twoViews()); // any news makes it look
    expect(session.state.get().modelId).toBe('counter');
    session.leave();
    const { session: configured } = await setup({ defaultModel: 'counter' });
    catalogueOf();
    configured.enter();
    await settle();
    expect(configured.state.get().modelId).toBe('counter');
    configured.leave();
  });

  it('explains a score that it keeps, until its study is closed', async () => {
    const { session, viewer } = await setup({});
    session.enter();
    const { key } = session.results.keep(twoViews());
    session.explain(key, 'no such finding');
    session.explain('no such result', 'Effusion');
    expect(session.state.get().explaining).toBeUndefined();
    session.toggleOverlays(false);
    session.explain(key, 'Effusion');
    expect(session.state.get()).toMatchObject({ explaining: { key, label: 'Effusion' }, overlaysShown: true });
    viewer.displaySets = [];
    session.results.setVisible(key, true); // any news makes it look
    expect(session.state.get().explaining).toBeUndefined();
    session.leave();
  });
});
