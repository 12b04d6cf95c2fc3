import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { packageRoot } from '../../../src/cli/package-root.ts';

test('finds this checkout from its own file', () => {
  const { folder, version } = packageRoot();
  expect(fs.existsSync(path.join(folder, 'src/cli/package-root.ts'))).toBe(true);
  expect(version).toMatch(/^\d+\.\d+\.\d+/);
});

test('passes by the package.json of others, and says so when there is none of ours', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'overread-root-'));
  fs.mkdirSync(path.join(folder, 'node_modules/other/dist'), { recursive: true });
  fs.writeFileSync(path.join(folder, 'node_modules/other/package.json'), '{"name":"other","version":"1.0.0"}');
  const inside = path.join(folder, 'node_modules/other/dist');
  expect(() => packageRoot(inside)).toThrow('package.json');
  fs.writeFileSync(path.join(folder, 'package.json'), '{"name":"overread","version":"9.8.7"}');
  expect(packageRoot(inside)).toEqual({ folder, version: '9.8.7' });
  fs.rmSync(folder, { recursive: true });
});
