import importX from 'eslint-plugin-import-x';
import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript';
import tseslint from 'typescript-eslint';

/**
 * The import fences of src/README.md. A fence names folders and what they must not import; what is not named is free.
 * `patterns` are matched against the written specifier, so relative imports of a folder are matched by its name.
 */
const VIEWER = ['@ohif/*', '@cornerstonejs/*', 'react', 'react-dom', 'react-dom/*'];
const TFJS = ['@tensorflow/*'];
const DCMJS = ['dcmjs', 'dcmjs/*'];
const NODE = ['node:*', 'fs', 'path', 'os', 'http', 'child_process'];
const LAYERS = ['dicom', 'image', 'tensor', 'runtime', 'architectures', 'results', 'tasks', 'losses', 'metrics', 'training', 'evaluation', 'export', 'audit', 'phantoms', 'cli'];

/** What each folder of src/ may import of its neighbours; errors.ts is open to all. */
const MAY = {
  dicom: [],
  image: ['dicom'],
  tensor: ['image', 'manifest', 'tasks/task'],
  runtime: ['manifest', 'results/result'],
  architectures: ['runtime'],
  results: ['image', 'dicom', 'manifest', 'metrics/linear-regression'],
  tasks: ['tensor', 'results', 'manifest', 'runtime', 'image', 'metrics/distance-transform'],
  losses: ['metrics/distance-transform'],
  metrics: [],
  training: ['tasks', 'losses', 'metrics', 'runtime', 'image', 'tensor', 'manifest', 'phantoms/random', 'architectures/layers-files', 'results/result'],
  evaluation: ['training', 'tasks', 'metrics', 'results', 'image', 'manifest', 'export/point-records', 'export/points-csv', 'export/csv'],
  export: ['results', 'image', 'dicom', 'manifest'],
  phantoms: [],
  audit: [],
};

const restricted = (patterns, message) => ({ group: patterns, message });

function fence(folder, may) {
  const closed = LAYERS.filter(l => l !== folder && !may.includes(l));
  const allowed = may.filter(m => m.includes('/')).flatMap(m => [`!../${m}.ts`, `!../../${m}.ts`]);
  const patterns = [];
  if (closed.length) patterns.push(restricted([...closed.flatMap(l => [`../${l}/*`, `../../${l}/*`]), ...allowed], `src/${folder} may import only: errors, ${may.join(', ') || 'nothing else'}.`));
  if (!may.includes('manifest')) patterns.push(restricted(['../manifest.ts', '../../manifest.ts'], `src/${folder} may not know the manifest.`));
  return patterns;
}

const TFJS_FOLDERS = ['tensor', 'runtime', 'architectures', 'losses', 'metrics', 'training', 'tasks'];
const DCMJS_FOLDERS = ['dicom', 'export'];
/** Files that run in Node only, beside ones that run in both. */
const NODE_FILES = ['src/runtime/node-*.ts', 'src/image/node-*.ts', 'src/dicom/node-*.ts', 'src/export/node-*.ts'];

const srcFences = Object.entries(MAY).map(([folder, may]) => ({
  files: [`src/${folder}/**/*.ts`],
  rules: {
    'no-restricted-imports': ['error', {
      patterns: [
        restricted(VIEWER.filter(v => v !== '@cornerstonejs/*').concat(['@cornerstonejs/core', '@cornerstonejs/tools']), 'src/ knows no viewer and no React.'),
        ...(TFJS_FOLDERS.includes(folder) ? [] : [restricted(TFJS, `tfjs belongs in ${TFJS_FOLDERS.join(', ')}.`)]),
        ...(DCMJS_FOLDERS.includes(folder) ? [] : [restricted(DCMJS, 'dcmjs belongs in dicom and export.')]),
        restricted(NODE, 'Node only in src/cli and in files named node-*.ts.'),
        ...fence(folder, may),
      ],
    }],
  },
}));

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', '.cache/', 'coverage/', 'models/**/*.json'] },
  ...tseslint.configs.recommended,
  {
    files: ['**/*.{ts,tsx,js,mjs}'],
    plugins: { 'import-x': importX },
    settings: { 'import-x/resolver-next': [createTypeScriptImportResolver({ project: 'tsconfig.json' })] },
    rules: {
      'import-x/no-cycle': ['error', { ignoreExternal: true }],
      'max-lines': ['error', { max: 400 }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'off',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],
      '@typescript-eslint/no-unused-expressions': ['error', { allowShortCircuit: true, allowTernary: true }],
    },
  },
  {
    files: ['src/**/*.ts', 'extension/**/*.{ts,tsx}', 'mode/**/*.ts'],
    rules: { 'no-restricted-globals': ['error', { name: 'alert', message: 'Use the viewer\'s notifications.' }] },
  },
  ...srcFences,
  {
    files: NODE_FILES,
    rules: { 'no-restricted-imports': 'off' },
  },
  {
    files: ['extension/**/*.{ts,tsx}', 'mode/**/*.ts'],
    rules: {
      'no-restricted-imports': ['error', {
        patterns: [
          restricted(TFJS, 'The viewer\'s side holds no tensors: they live in the worker.'),
          restricted(DCMJS, 'DICOM objects are written in src/export.'),
          restricted(NODE, 'The extension runs in a browser.'),
          { group: ['@cornerstonejs/*', '@ohif/*'], allowTypeImports: true, message: 'Types only: the host\'s own Cornerstone and OHIF are used at run time.' },
        ],
      }],
    },
  },
);
