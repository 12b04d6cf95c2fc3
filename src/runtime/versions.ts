/** Of a browser, in Chromium: exact versions, which the user agent's text has been without since 2022. */
interface UserAgentData {
  getHighEntropyValues(hints: readonly string[]): Promise<{ readonly fullVersionList?: readonly { readonly brand: string; readonly version: string }[]; readonly platform?: string; readonly platformVersion?: string }>;
}

/**
 * What stands between a model and its GPU, as far as it can be asked for: the browser (or Node) and the system, with their versions. The driver's
 * is in the adapter's description, which Dawn in Node and few browsers give. What was found out under others has to be found out again.
 */
export async function versionsHere(): Promise<string> {
  const here = globalThis.navigator as (Navigator & { readonly userAgentData?: UserAgentData }) | undefined;
  const node = (globalThis as { process?: { readonly versions?: { readonly node?: string } } }).process?.versions?.node;
  let exact: readonly string[] = [];
  try {
    const { fullVersionList = [], platform = '', platformVersion = '' } = (await here?.userAgentData?.getHighEntropyValues(['fullVersionList', 'platformVersion'])) ?? {};
    // The list's order is chance.
    exact = [...fullVersionList.map(({ brand, version }) => `${brand} ${version}`).sort(), `${platform} ${platformVersion}`.trim()];
  } catch {
    // A browser that does not tell: its user agent's text is what there is.
  }
  return [here?.userAgent, node && `Node ${node}`, ...exact].filter(Boolean).join('; ');
}
