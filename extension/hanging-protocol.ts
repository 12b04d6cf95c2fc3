import { CHEST_PROTOCOL_ID } from './id.ts';
import { viewStated, type Shown } from './sources/views.ts';
import type { DicomInstance, DisplaySet, HangingProtocolService, MatchOptions, StudyMetadata } from './types/ohif.ts';

const VIEW = 'overreadView';
const VIEWS_OF_STUDY = 'overreadChestViews';
const ROLE = 'overreadStudyRole';

/** What a study is to the one that is read: 'prior' is the latest earlier one of the same patient that has a frontal. */
export type Role = 'current' | 'prior' | 'other';

/**
 * Tells OHIF's hanging protocols what they cannot see by themselves: a view as ViewPosition, ViewCodeSequence or the
 * series' description states it, by the same rule as the runs, and which study is the prior.
 */
export function addChestAttributes(service: HangingProtocolService): void {
  service.addCustomAttribute(VIEW, 'Chest view (Overread)', (displaySet: DisplaySet) => chestView(displaySet));
  service.addCustomAttribute(VIEWS_OF_STUDY, 'Chest views of the study (Overread)', (study: StudyMetadata, options?: MatchOptions) => chestViews(study, options?.displaySets));
  service.addCustomAttribute(ROLE, 'Current or prior study (Overread)', (study: StudyMetadata, options?: MatchOptions) => roleOf(study, options));
}

/** The view of a display set that is a radiograph of the chest; one that states no body part may be. */
export function chestView({ Modality, instances }: DisplaySet): Shown {
  const [instance] = instances ?? [];
  if (!instance || (Modality !== 'DX' && Modality !== 'CR')) return 'other';
  const { BodyPartExamined } = instance;
  return !BodyPartExamined?.trim() || /CHEST|THORAX|LUNG/i.test(BodyPartExamined) ? viewStated(instance) : 'other';
}

/** 'PA and L' for a study that has both. */
export function chestViews({ StudyInstanceUID }: StudyMetadata, displaySets: readonly DisplaySet[] = []): string {
  const views = displaySets.filter(set => set.StudyInstanceUID === StudyInstanceUID).map(chestView);
  return (['PA', 'L'] as const).filter(view => views.includes(view)).join(' and ');
}

/** By what the instances state: OHIF lists studies as the viewer's address does, and that may name several patients. */
export function roleOf({ StudyInstanceUID }: StudyMetadata, { studies = [], displaySets = [], allDisplaySets = displaySets }: MatchOptions = {}): Role {
  const [current] = studies;
  if (!current) return 'other';
  if (current.StudyInstanceUID === StudyInstanceUID) return 'current';
  const setsOf = (uid: string) => allDisplaySets.filter(set => set.StudyInstanceUID === uid && (set.instances?.length ?? 0) > 0);
  const now = setsOf(current.StudyInstanceUID)[0]?.instances?.[0];
  if (!now?.PatientID || !now.StudyDate) return 'other';
  const priors = studies.flatMap(study => {
    const sets = setsOf(study.StudyInstanceUID);
    const instance = sets[0]?.instances?.[0];
    if (!instance?.StudyDate || instance.PatientID !== now.PatientID || whenOf(instance) >= whenOf(now)) return [];
    return sets.some(set => chestView(set) === 'PA') ? [{ uid: study.StudyInstanceUID, when: whenOf(instance) }] : [];
  });
  const [latest] = priors.sort((a, b) => b.when.localeCompare(a.when));
  return latest?.uid === StudyInstanceUID ? 'prior' : 'other';
}

function whenOf({ StudyDate = '', StudyTime = '' }: DicomInstance): string {
  return `${StudyDate}${StudyTime}`;
}

const equals = (value: string) => ({ equals: { value } });

const selector = (role: Role, view: 'PA' | 'L') => ({
  studyMatchingRules: [{ attribute: ROLE, required: true, constraint: equals(role) }],
  seriesMatchingRules: [
    { attribute: VIEW, required: true, weight: 10, constraint: equals(view) },
    // Of several, the one that the viewer's address names.
    { attribute: 'isDisplaySetFromUrl', weight: 20, constraint: { equals: true } },
  ],
});

const viewport = (id: string) => ({
  viewportOptions: { viewportType: 'stack', toolGroupId: 'default', allowUnmatchedView: true },
  displaySets: [{ id }],
});

const grid = (rows: number, columns: number) => ({ layoutType: 'grid', properties: { rows, columns } });

/**
 * Chest radiographs: the frontal left, the lateral right; in a second stage the latest prior below them. It matches a
 * study that has both views and no other, so that everything else hangs as OHIF hangs it. A fresh object each time: OHIF
 * writes into it.
 */
export function chestProtocol() {
  return {
    id: CHEST_PROTOCOL_ID,
    name: 'Chest PA and lateral',
    // Aware of priors, and content without.
    numberOfPriorsReferenced: 0,
    protocolMatchingRules: [{ id: 'both views', attribute: VIEWS_OF_STUDY, required: true, weight: 100, constraint: equals('PA and L') }],
    toolGroupIds: ['default'],
    displaySetSelectors: {
      frontal: selector('current', 'PA'),
      lateral: selector('current', 'L'),
      priorFrontal: selector('prior', 'PA'),
      priorLateral: selector('prior', 'L'),
      any: { seriesMatchingRules: [{ attribute: 'numImageFrames', weight: 10, constraint: { greaterThan: { value: 0 } } }] },
    },
    // For viewports that the user adds.
    defaultViewport: {
      viewportOptions: { viewportType: 'stack', toolGroupId: 'default', allowUnmatchedView: true },
      displaySets: [{ id: 'any', matchedDisplaySetsIndex: -1 }],
    },
    stages: [
      {
        id: 'current', name: 'PA and lateral',
        stageActivation: { enabled: { minViewportsMatched: 2 } },
        viewportStructure: grid(1, 2),
        viewports: [viewport('frontal'), viewport('lateral')],
      },
      {
        id: 'prior', name: 'With the prior below',
        stageActivation: { passive: { displaySetSelectorsMatched: ['priorFrontal'] } },
        viewportStructure: grid(2, 2),
        viewports: [viewport('frontal'), viewport('lateral'), viewport('priorFrontal'), viewport('priorLateral')],
      },
    ],
  };
}
