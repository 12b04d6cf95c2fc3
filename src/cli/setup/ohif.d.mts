export declare const OHIF_VERSION: string;
export declare function cacheFolder(root: string, env?: NodeJS.ProcessEnv): string;
export declare function ohifDist(root: string, version?: string, env?: NodeJS.ProcessEnv): string | undefined;
export declare function fetchOhif(root: string, version?: string, env?: NodeJS.ProcessEnv): Promise<string>;
export declare const OHIF_VERSIONS: readonly string[];
