import { execFileSync } from 'node:child_process';
import path from 'node:path';

/** Import → where it stands → whether the fences of src/README.md let it through. */
const CASES: readonly (readonly [from: string, line: string, allowed: boolean])[] = [
  ['src/image/x.ts', "import * as tf from '@tensorflow/tfjs-core';", false],
  ['src/tensor/x.ts', "import * as tf from '@tensorflow/tfjs-core';", true],
  ['src/image/x.ts', "import React from 'react';", false],
  ['src/tasks/x.ts', "import { cache } from '@cornerstonejs/core';", false],
  ['src/tasks/x.ts', "import dcmjs from 'dcmjs';", false],
  ['src/export/x.ts', "import dcmjs from 'dcmjs';", true],
  ['src/runtime/x.ts', "import fs from 'node:fs';", false],
  ['src/runtime/node-x.ts', "import fs from 'node:fs';", true],
  ['src/image/x.ts', "import { segment } from '../tasks/segment.ts';", false],
  ['src/image/x.ts', "import { dataSet } from '../dicom/data-set.ts';", true],
  ['src/tensor/x.ts', "import { segment } from '../tasks/segment.ts';", false],
  ['src/tensor/x.ts', "import type { Placement } from '../tasks/task.ts';", true],
  ['src/metrics/x.ts', "import { parseManifest } from '../manifest.ts';", false],
  ['extension/x.ts', "import * as tf from '@tensorflow/tfjs-core';", false],
  ['extension/x.ts', "import { cache } from '@cornerstonejs/core';", false],
  ['extension/x.ts', "import type { cache } from '@cornerstonejs/core';", true],
];

/** ESLint is an ES module with a configuration of its own, so it runs in a process of its own, once for all. */
function refusals(): boolean[] {
  const script = `
    import { ESLint } from 'eslint';
    const eslint = new ESLint();
    const answers = [];
    for (const [filePath, text] of ${JSON.stringify(CASES)}) {
      const [{ messages }] = await eslint.lintText(text + '\\n', { filePath });
      answers.push(messages.some(m => m.ruleId === 'no-restricted-imports'));
    }
    console.log(JSON.stringify(answers));`;
  const root = path.join(__dirname, '../..');
  return JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', script], { cwd: root, encoding: 'utf8' })) as boolean[];
}

describe('the import fences', () => {
  let refused: boolean[];
  beforeAll(() => { refused = refusals(); }, 120_000);
  test.each(CASES.map((c, i) => [...c, i] as const))('%s: %s', (_from, _line, allowed, i) => {
    expect(refused[i]).toBe(!allowed);
  });
});
