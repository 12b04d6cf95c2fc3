import { viewOf } from '../../../src/image/view.ts';

test.each(['PA', 'AP', 'pa ', 'AP SUPINE', 'AP Erect', 'AP_PORTABLE', 'Frontal'])('%s is frontal', text => expect(viewOf(text)).toBe('PA'));
test.each(['L', 'LL', 'RL', 'lateral', 'LAT ', 'LEFT LATERAL'])('%s is lateral', text => expect(viewOf(text)).toBe('L'));
test.each([undefined, '', 'RLO', 'LLD', 'APPLE', 'XTL', 'LPO'])('%s is neither', text => expect(viewOf(text)).toBeUndefined());
