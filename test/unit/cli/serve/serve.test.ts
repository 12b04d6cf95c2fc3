import path from 'node:path';
import { Command } from 'commander';
import { register } from '../../../../src/cli/serve/index.ts';
import { removeFolders, temporaryFolder } from './embedded.ts';

afterAll(removeFolders);

/** What keeps `overread serve` from starting, as main sees it. */
async function refusal(...args: string[]): Promise<{ code?: string; message?: string }> {
  const program = new Command('overread').exitOverride().configureOutput({ writeErr: () => undefined });
  register(program);
  for (const command of program.commands) command.copyInheritedSettings(program);
  return program.parseAsync(['serve', ...args], { from: 'user' }).then(() => ({}), (error: { code: string; message: string }) => error);
}

describe('overread serve refuses', () => {
  it.each([
    ['a port that is none', ['--port', '70000'], '--port', '70000'],
    ['a port in words', ['--port', 'http'], '--port', 'http'],
    ['a base path that climbs', ['--base-path', '/a/../b'], '--base-path', '/a/../b'],
    ['a base path with a query', ['--base-path', '/a?b'], '--base-path', '/a?b'],
    ['a PACS that is no address', ['--dicomweb', 'orthanc'], '--dicomweb', 'orthanc'],
  ])('%s', async (_, args, flag, got) => {
    expect(await refusal(...args)).toMatchObject({ code: 'cli/usage', message: expect.stringMatching(new RegExp(`^Expected ${flag} .*'${got.replace(/[.?]/g, '\\$&')}'`)) });
  });

  it('a flag that it does not know', async () => {
    expect(await refusal('--prot', '3000')).toMatchObject({ code: 'commander.unknownOption', message: expect.stringContaining('--prot') });
  });

  it('a folder of models that is not there', async () => {
    const folder = path.join(temporaryFolder(), 'none');
    expect(await refusal('--models', folder)).toMatchObject({ code: 'model/not-found', message: expect.stringContaining(folder) });
  });
});
