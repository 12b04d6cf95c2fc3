import { commandsModule } from '../../../extension/commands.ts';
import { Observable } from '../../../extension/state.ts';
import { ResultsStore } from '../../../extension/results-store.ts';
import type { Session } from '../../../extension/session.ts';
import { SlideResults } from '../../../extension/slides/slide-results.ts';
import { state, twoViews } from './made.ts';

function setup() {
  const results = new ResultsStore();
  const run = jest.fn(async (_: object) => results.all()[0]);
  const counting = { dotting: { state: new Observable({ classIndex: 0, erasing: false }) }, rois: { state: new Observable({ rois: [] }) } };
  const training = { state: new Observable({ labels: [] }), trainings: { state: new Observable({}) }, versions: { state: new Observable({ versions: [] }) } };
  const comparing = { comparer: { state: new Observable({ blinded: false }) } };
  const session = { state: state(), results, counting, comparing, training, slides: { results: new SlideResults() }, runner: { run } } as unknown as Session;
  return { results, run, comparing, ...commandsModule(() => session).actions };
}

describe('the commands', () => {
  it('report scores with their views, and what a gate said', () => {
    const { results, comparing, overreadState } = setup();
    const outOfDistribution = { score: 0.9, threshold: 0.6, refused: true, reason: 'inverted' };
    results.keep({ ...twoViews(), outOfDistribution });
    expect(overreadState().results[0]).toMatchObject({
      kind: 'scores', viewsUsed: ['PA', 'L'], viewsMissing: [], viewsFrom: { PA: 'ViewPosition', L: 'ViewPosition' }, substitute: null, outOfDistribution,
      scores: [{ label: 'Effusion', probability: 0.7, operatingPoint: 0.5, positive: true, views: { PA: 0.6, L: 0.4, fused: 0.7 } }],
      sources: [{ sopInstanceUID: 'pa' }, { sopInstanceUID: 'l' }],
    });
    expect(JSON.parse(JSON.stringify(overreadState()))).toEqual(overreadState());
    // While they are read blinded, nobody can ask whose they are.
    comparing.comparer.state.set({ blinded: true });
    expect(overreadState().results).toEqual([]);
  });

  it('force only what is plainly told to be forced: what a hotkey hands over is not', async () => {
    const { run, overreadRun } = setup();
    await overreadRun({ force: true });
    await overreadRun({ evt: {}, force: 'yes' } as object);
    await overreadRun();
    expect(run.mock.calls).toEqual([[{ force: true }], [{}], [{}]]);
  });
});
