/** dcmjs ships no types; this is what we call of it, and no more. */
declare module 'dcmjs' {
  interface DictionaryEntry {
    readonly tag: string;
    readonly vr: string;
    readonly name: string;
  }
  const dcmjs: {
    readonly data: {
      readonly DicomMetaDictionary: {
        /** By `(GGGG,EEEE)`. */
        readonly dictionary: Readonly<Record<string, DictionaryEntry | undefined>>;
        /** By keyword. */
        readonly nameMap: Readonly<Record<string, DictionaryEntry | undefined>>;
      };
    };
  };
  export default dcmjs;
}
