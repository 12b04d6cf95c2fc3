/** The viewer's `app-config.js`: OHIF as it is, with our two files dropped in, on one DICOMweb source. */
export interface AppConfigOptions {
  /** `/`, or `/sub/path/`. */
  readonly basePath: string;
  readonly allowSoftwareAdapter: boolean;
  /** The embedded store, which we know, or a PACS, which we do not. */
  readonly source: 'store' | 'pacs';
  /** DICOMweb root as the browser sees it, a path or an address; `dicom-web` below the base path when left out. */
  readonly dicomweb?: string;
  /** Further settings of Overread. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

export function appConfig({ basePath, allowSoftwareAdapter, source, dicomweb = `${basePath}dicom-web`, settings }: AppConfigOptions): string {
  const ours = source === 'store';
  const config = {
    name: 'overread',
    routerBasename: basePath === '/' ? null : basePath,
    extensions: [`${basePath}overread/extension.js`],
    modes: [`${basePath}overread/mode.js`],
    customizationService: {},
    showStudyList: true,
    maxNumberOfWebWorkers: 3,
    showWarningMessageForCrossOrigin: false,
    showCPUFallbackMessage: true,
    showLoadingIndicator: true,
    strictZSpacingForVolumeViewport: true,
    groupEnabledModesFirst: true,
    // Our panel says on every result that it is for research only.
    investigationalUseDialog: { option: 'never' },
    overread: { models: `${basePath}overread/models/`, allowSoftwareAdapter, ...settings },
    defaultDataSourceName: 'dicomweb',
    dataSources: [
      {
        namespace: '@ohif/extension-default.dataSourcesModule.dicomweb',
        sourceName: 'dicomweb',
        configuration: {
          friendlyName: ours ? 'Overread store' : 'PACS',
          name: 'dicomweb',
          qidoRoot: '@ROOT@',
          wadoRoot: '@ROOT@',
          qidoSupportsIncludeField: ours,
          supportsFuzzyMatching: ours,
          supportsWildcard: true,
          supportsStow: true,
          dicomUploadEnabled: true,
          imageRendering: 'wadors',
          thumbnailRendering: 'wadors',
          enableStudyLazyLoad: true,
          omitQuotationForMultipartRequest: true,
          bulkDataURI: { enabled: true, relativeResolution: 'studies' },
        },
      },
      { namespace: '@ohif/extension-default.dataSourcesModule.dicomlocal', sourceName: 'dicomlocal', configuration: { friendlyName: 'Local files' } },
      { namespace: '@ohif/extension-default.dataSourcesModule.dicomjson', sourceName: 'dicomjson', configuration: { friendlyName: 'DICOM JSON', name: 'json' } },
    ],
  };
  // The address by which the page was reached is known to the page alone: it may lie behind another server.
  const text = JSON.stringify(config, null, 2).replaceAll('"@ROOT@"', /^https?:/.test(dicomweb) ? JSON.stringify(dicomweb) : `location.origin + ${JSON.stringify(dicomweb)}`);
  return `window.config = ${text};\n`;
}
