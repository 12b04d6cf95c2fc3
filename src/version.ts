/** Of package.json; a test holds the two together. */
export const OVERREAD_VERSION = '0.1.0';
