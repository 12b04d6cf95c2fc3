import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { httpFiles } from '../../../src/runtime/http-files.ts';
import { diskFiles } from '../../../src/runtime/node-files.ts';

describe('httpFiles', () => {
  const body = Buffer.alloc(300_000, 'x');
  let server: Server;
  let base: string;

  beforeAll(async () => {
    server = createServer(({ url }, response) => {
      if (url === '/m/ok') response.writeHead(200, { 'content-length': body.length }).end(body);
      else if (url === '/m/cut') {
        response.writeHead(200, { 'content-length': body.length }).write(body.subarray(0, 1000));
        setTimeout(() => response.destroy(), 20);
      } else if (url === '/m/slow') response.writeHead(200, { 'content-length': 10 }).write('x');
      else response.writeHead(url === '/m/forbidden' ? 403 : 404).end();
    });
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/m`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  test('reads a file and counts its bytes', async () => {
    const seen: [number, number?][] = [];
    const bytes = await httpFiles(base).read('ok', { onBytes: (received, total) => seen.push([received, total]) });
    expect(bytes).toHaveLength(body.length);
    expect(seen.at(-1)).toEqual([body.length, body.length]);
    expect(await httpFiles(`${base}/`).read('ok')).toHaveLength(body.length);
  });

  test.each([
    ['nothing', 'model/not-found'],
    ['forbidden', 'network/status'],
    ['cut', 'network/unreachable'],
  ])('%s is %s', async (path, code) => {
    await expect(httpFiles(base).read(path, { onBytes: () => {} })).rejects.toMatchObject({ code, message: expect.stringContaining(`${base}/${path}`) });
  });

  test('nobody there', async () => {
    await expect(httpFiles('http://127.0.0.1:1').read('a')).rejects.toMatchObject({ code: 'network/unreachable' });
  });

  test('can be cancelled in the middle of a file', async () => {
    const stop = new AbortController();
    const read = httpFiles(base).read('slow', { signal: stop.signal, onBytes: () => stop.abort() });
    await expect(read).rejects.toMatchObject({ code: 'job/cancelled' });
  });
});

describe('diskFiles', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'overread-files-'));
    await mkdir(join(folder, 'model/sub'), { recursive: true });
    await writeFile(join(folder, 'secret'), 'secret');
    await writeFile(join(folder, 'model/sub/a.bin'), 'abc');
    await symlink(join(folder, 'secret'), join(folder, 'model/link'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test('reads inside the folder', async () => {
    const onBytes = jest.fn();
    expect(Buffer.from(await diskFiles(join(folder, 'model')).read('sub/a.bin', { onBytes })).toString()).toBe('abc');
    expect(onBytes).toHaveBeenCalledWith(3, 3);
  });

  test.each(['../secret', 'sub/../../secret', 'link', 'missing', 'sub', '.'])('%s is not found', async path => {
    await expect(diskFiles(join(folder, 'model')).read(path)).rejects.toMatchObject({ code: 'model/not-found' });
  });

  test('stops at an aborted signal', async () => {
    await expect(diskFiles(folder).read('secret', { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'job/cancelled' });
  });
});
