/** What the self-test of a device is remembered under. */
import { versionsHere } from '../../../src/runtime/versions.ts';

const real = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
const withNavigator = (value: object) => Object.defineProperty(globalThis, 'navigator', { value, configurable: true });
const chromium = (version: string, turned = false, platformVersion = '15.0.0') => {
  const list = [{ brand: 'Chromium', version }, { brand: 'Not=A?Brand', version: '8.0.0.0' }];
  return { userAgent: 'Chrome/142.0.0.0', userAgentData: { getHighEntropyValues: async () => ({ fullVersionList: turned ? list.reverse() : list, platform: 'Windows', platformVersion }) } };
};

afterAll(() => (real ? Object.defineProperty(globalThis, 'navigator', real) : delete (globalThis as { navigator?: unknown }).navigator));

test('a browser and its system are told apart by their exact versions, which its user agent leaves out', async () => {
  withNavigator(chromium('142.0.7444.59'));
  const first = await versionsHere();
  withNavigator(chromium('142.0.7444.59', true));
  expect(await versionsHere()).toBe(first);
  withNavigator(chromium('142.0.7444.60'));
  expect(await versionsHere()).not.toBe(first);
  withNavigator(chromium('142.0.7444.59', false, '16.0.0'));
  expect(await versionsHere()).not.toBe(first);
});

test('one that does not tell, and Node, go by what there is', async () => {
  withNavigator({ userAgent: 'Firefox/145.0', userAgentData: { getHighEntropyValues: () => Promise.reject(new Error('NotAllowedError')) } });
  expect(await versionsHere()).toBe(`Firefox/145.0; Node ${process.versions.node}`);
  withNavigator({ userAgent: 'Safari/605.1' });
  expect(await versionsHere()).toMatch(/^Safari\/605\.1; Node /);
  delete (globalThis as { navigator?: unknown }).navigator;
  expect(await versionsHere()).toBe(`Node ${process.versions.node}`);
});
