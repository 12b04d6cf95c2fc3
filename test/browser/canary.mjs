/** A patient's name and a token as canaries: where they were seen beside the PACS, in whatever form. */

/**
 * Signs the viewer in with a token and listens to the page. To be called before the page is opened.
 * @param canaries words that must not be found: `names` of the patient and one `token`
 * @returns { leaks(page): Promise<string[]> }
 */
export async function watchCanaries(page, { names, token }) {
  const seen = [];
  const find = (where, text, words) => { for (const word of words) if (text.toLowerCase().includes(word.toLowerCase())) seen.push(`${where} holds ${word}`); };
  await page.addInitScript(value => {
    const timer = setInterval(() => {
      const service = window.services?.userAuthenticationService;
      if (!service) return;
      service.setServiceImplementation({ getAuthorizationHeader: () => ({ Authorization: `Bearer ${value}` }) });
      // OHIF's provider keeps the user, once it has mounted.
      if (service.getUser()?.profile) clearInterval(timer);
      else service.setUser({ profile: { name: 'Reader^Rita' } });
    }, 20);
  }, token);
  let carried = 0;
  page.on('console', message => find('the console', message.text(), [...names, token]));
  page.on('request', request => {
    const url = new URL(request.url());
    if (url.protocol === 'blob:' || url.protocol === 'data:') return;
    const headers = JSON.stringify(request.headers());
    const toPacs = url.pathname.startsWith('/dicom-web/');
    // OHIF itself asks the PACS for the patient's other studies, by number.
    find(`the address ${url.pathname}`, decodeURIComponent(url.href), toPacs ? [token] : [...names, token]);
    if (toPacs) carried += headers.includes(token);
    else find(`a request to ${url.pathname}`, `${headers} ${request.postData() ?? ''}`, [...names, token]);
  });
  return {
    /** How many requests to the PACS carried the token: none would make the search worthless. */
    carried: () => carried,
    async leaks() {
      find('cookies', JSON.stringify(await page.context().cookies()), [...names, token]);
      for (const [where, text] of Object.entries(await page.evaluate(everythingKept))) find(where, text, [...names, token]);
      return [...new Set(seen)];
    },
  };
}

/** Runs in the page: all that this origin keeps, as text; bytes as the characters that they are. */
async function everythingKept() {
  const text = value => JSON.stringify(value, (_, v) => {
    if (v instanceof ArrayBuffer || ArrayBuffer.isView(v)) {
      const bytes = v instanceof ArrayBuffer ? new Uint8Array(v) : new Uint8Array(v.buffer, v.byteOffset, v.byteLength);
      return bytes.length > 4e6 ? '' : new TextDecoder('latin1').decode(bytes);
    }
    return v;
  }) ?? '';
  const kept = { localStorage: text({ ...localStorage }), sessionStorage: text({ ...sessionStorage }) };
  const request = asked => new Promise((resolve, reject) => { asked.onsuccess = () => resolve(asked.result); asked.onerror = () => reject(asked.error); });
  for (const { name } of await indexedDB.databases()) {
    const database = await request(indexedDB.open(name));
    for (const store of database.objectStoreNames) kept[`IndexedDB ${name}.${store}`] = text(await request(database.transaction(store).objectStore(store).getAll()));
    database.close();
  }
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    kept[`Cache ${name}`] = (await cache.keys()).map(({ url }) => url).join(' ');
  }
  return kept;
}
