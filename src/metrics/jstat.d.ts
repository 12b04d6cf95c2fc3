/** The few functions of jStat that are called; the package carries no types. */
declare module 'jstat' {
  interface Distribution<P extends readonly number[]> {
    cdf(x: number, ...parameters: P): number;
    inv(p: number, ...parameters: P): number;
  }
  const jstat: {
    readonly normal: Distribution<[mean: number, deviation: number]>;
    readonly studentt: Distribution<[degreesOfFreedom: number]>;
    readonly beta: Distribution<[a: number, b: number]>;
    readonly chisquare: Distribution<[degreesOfFreedom: number]>;
  };
  export default jstat;
}
