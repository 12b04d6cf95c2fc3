import { OverreadError } from '../../errors.ts';
import { holm } from '../../metrics/holm.ts';
import { PERMUTATIONS } from '../../metrics/permutations.ts';
import { factorsOf, type AuditedPicture, type FactorKind } from './audited.ts';
import { confounding, type Association } from './confounding.ts';
import { auditFactor, type FactorAudit, type SeparationReport, type Tested, type TestOptions } from './factor.ts';
import { LEAST_PATIENTS } from './groups.ts';
import { outcomesOf, type GroupOutcome } from './outcomes.ts';

/** What an audit found, as it is written to JSON and read by the viewer. */
export interface SiteAudit {
  readonly schemaVersion: 1;
  readonly pictures: number;
  readonly patients: number;
  /** Orders of the patients that chance is known by. */
  readonly permutations: number;
  readonly seed: number;
  readonly factors: readonly FactorAudit[];
  /** Without a model there are none. */
  readonly outcomes: readonly GroupOutcome[];
  readonly confounding: readonly Association[];
}

const TESTS = ['pixels', 'fromPicture', 'fromFeatures'] as const;

/**
 * What tells a site's, a scanner's, a view's, a sex's or an age's pictures from the others, whether a model may know it, what the model gives
 * in each of these groups, and which labels come with which of them. p-values are adjusted over all tests of the acquisition,
 * and apart from these over all tests of labels: where nothing differs, at most one audit in twenty finds anything.
 *
 * J. R. Zech et al., "Variable generalization performance of a deep learning model to detect pneumonia in chest radiographs",
 * PLOS Medicine 15(11), 2018; J. D. Viviano et al., "Saliency is a possible red herring when diagnosing poor generalization", 2019.
 * @throws OverreadError `dataset/invalid` for pictures of too few patients
 */
export function auditSites(pictures: readonly AuditedPicture[], options: TestOptions = {}): SiteAudit {
  const patients = new Set(pictures.map(({ patient }) => patient)).size;
  if (patients < 2 * LEAST_PATIENTS) {
    throw new OverreadError('dataset/invalid', `Expected pictures of at least ${2 * LEAST_PATIENTS} patients for an audit, so that two groups of ${LEAST_PATIENTS} can be compared, got ${patients} (${pictures.length} pictures). Collect more.`, { expected: 2 * LEAST_PATIENTS, got: patients });
  }
  const all = factorsOf(pictures).filter(({ name }) => options.factors?.includes(name) ?? true);
  const most = TESTS.length * Math.max(...['acquisition', 'label'].map(kind => all.filter(factor => factor.kind === kind).length));
  // The least p that can come out must stay below 0.05 when it is adjusted for all tests, with room to spare.
  const { permutations = Math.max(PERMUTATIONS, 40 * most), seed = 1 } = options;
  const tested = { permutations, seed };
  const raw = all.map(factor => auditFactor(pictures, factor, tested));
  const factors = adjust(adjust(raw, 'acquisition'), 'label');
  return { schemaVersion: 1, pictures: pictures.length, patients, permutations, seed, factors, outcomes: outcomesOf(pictures, all), confounding: confounding(pictures, all, tested) };
}

/** Holm's adjustment over all tests of factors of one kind. */
function adjust(factors: readonly FactorAudit[], kind: FactorKind): FactorAudit[] {
  const tests = factors.flatMap((factor, at) => (factor.kind === kind ? TESTS.flatMap(test => (factor[test] ? [{ at, test, p: factor[test].p }] : [])) : []));
  const adjusted = holm(tests.map(({ p }) => p));
  return factors.map((factor, at) => {
    const own: { pixels?: Tested; fromPicture?: SeparationReport; fromFeatures?: SeparationReport } = {};
    tests.forEach((of, i) => {
      if (of.at === at) Object.assign(own, { [of.test]: { ...factor[of.test], adjusted: adjusted[i]! } });
    });
    return { ...factor, ...own };
  });
}
