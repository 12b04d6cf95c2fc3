/** Unit, property and golden tests in Node; the browser tests have a runner of their own (test/browser/run.mjs). */
export default {
  // jest leaves a core to the one who waits; on two cores that would be half of the machine.
  maxWorkers: '100%',
  testMatch: ['<rootDir>/test/{unit,property,golden}/**/*.test.{ts,tsx}'],
  testEnvironment: 'node',
  transform: {
    '^.+\\.(t|j)sx?$': ['@swc/jest', {
      jsc: { parser: { syntax: 'typescript', tsx: true }, target: 'es2022', transform: { react: { runtime: 'automatic' } } },
      module: { type: 'commonjs' },
    }],
  },
  // ESM-only packages that jest must transform.
  transformIgnorePatterns: ['/node_modules/(?!(comlink|@cornerstonejs|fast-png|iobuffer|hyparquet|hyparquet-writer|kdbush|nifti-reader-js|linear-sum-assignment|ml-matrix|ml-spectra-processing|cheminfo-types|ml-array-rescale|ml-array-max|ml-array-min|is-any-array|binary-search|fft.js)/)'],
  moduleNameMapper: {
    // Exports no 'require' condition, which jest asks for.
    '^nifti-reader-js$': '<rootDir>/node_modules/nifti-reader-js/dist/nifti.js',
    '^onnxruntime-web/wasm$': '<rootDir>/test/unit/runtime/onnxruntime-in-jest.ts',
  },
  // Several versions of the viewer may lie there.
  modulePathIgnorePatterns: ['<rootDir>/.cache/', '<rootDir>/dist/'],
  testTimeout: 60_000,
};
