/** Listing the studies of servers that page as the standard says, and of some that do not. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { dicomwebStudies } from '../../../../src/cli/cohort/dicomweb-studies.ts';

const PAGE = 10;
type Pages = (all: readonly string[], limit: number, offset: number) => readonly string[];

async function listed(count: number, pages: Pages, grow = 0): Promise<{ ids: string[]; requests: number }> {
  const all = Array.from({ length: count }, (_, n) => `1.2.${n}`);
  let requests = 0;
  const server = http.createServer((request, response) => {
    requests++;
    const { searchParams } = new URL(request.url!, 'http://x');
    const answer = pages(all, Number(searchParams.get('limit')), Number(searchParams.get('offset') ?? 0));
    if (requests <= grow) all.unshift(`1.3.${requests}`);
    if (answer.length === 0) return void response.writeHead(204).end();
    response.writeHead(200, { 'content-type': 'application/dicom+json' }).end(JSON.stringify(answer.map(id => ({ '0020000D': { vr: 'UI', Value: [id] } }))));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  try {
    const ids: string[] = [];
    for await (const { id } of dicomwebStudies({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, page: PAGE })) ids.push(id);
    return { ids, requests };
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

const right: Pages = (all, limit, offset) => all.slice(offset, offset + limit);

describe.each<[name: string, pages: Pages]>([
  ['pages as the standard says', right],
  ['never gives more than seven at once', (all, limit, offset) => all.slice(offset, offset + Math.min(7, limit))],
  ['skips those that the limit left, as Orthanc 1.10.1 does with ModalitiesInStudy', (all, limit, offset) => all.slice(0, limit).slice(offset)],
  ['knows no offset', (all, limit) => all.slice(0, limit)],
])('a server that %s', (_, pages) => {
  test.each([0, 1, 9, 10, 11, 20, 47])('gives each of %i studies once', async count => {
    const { ids } = await listed(count, pages);
    expect(ids).toEqual(Array.from({ length: count }, (_, n) => `1.2.${n}`));
  });
});

test('studies that arrive while pages are read shift the others: none is lost or seen twice', async () => {
  const { ids } = await listed(25, right, 2);
  expect(new Set(ids).size).toBe(ids.length);
  expect(Array.from({ length: 25 }, (_, n) => `1.2.${n}`).every(id => ids.includes(id))).toBe(true);
});

test('a server that pages right is asked once more than it has pages', async () => {
  expect((await listed(45, right)).requests).toBe(6);
  expect((await listed(3, right)).requests).toBe(2);
});
