import { renderToStaticMarkup } from 'react-dom/server';
import { SiteAuditBody, SiteAuditSection } from '../../../extension/panels/site-audit.tsx';
import { auditRaster } from '../../../extension/panels/site-audit-raster.ts';
import { auditSites } from '../../../src/evaluation/site-audit/audit.ts';
import { readAudit } from '../../../src/evaluation/site-audit/audit-json.ts';
import type { AuditedPicture } from '../../../src/evaluation/site-audit/audited.ts';
import { generated } from '../../bench/site-audit/generated.ts';

test('the section waits for a file and says what becomes of it', () => {
  const html = renderToStaticMarkup(<SiteAuditSection />);
  expect(html).toContain('data-overread="site-audit-file"');
  expect(html).toContain('The file stays in this browser');
});

test('an audit: two pictures a group, what the groups are told by, scores by group, and what comes with it', () => {
  const pictures = generated(24, 2, { marker: true, strength: 6 }).map((picture): AuditedPicture => ({ ...picture, groups: { site: picture.groups.site!, view: 'PA' }, scores: { Disc: { probability: 0.25, positive: false } } }));
  const audit = readAudit(JSON.stringify({ overread: 'audit', source: 'x', madeAt: '2026-11-28T06:00:00Z', model: { id: 'm', version: '2.0.0' }, audit: auditSites(pictures, { permutations: 119 }) }), 'a');
  const html = renderToStaticMarkup(<SiteAuditBody audit={audit} />);
  const text = html.replace(/<[^>]+>/g, ' ');
  expect(text).toContain('of 24 patients');
  expect(text).toContain('m 2.0.0');
  expect(html.match(/<canvas[^>]*data-overread="site-audit-mean"/g)).toHaveLength(2);
  expect(html.match(/<canvas[^>]*data-overread="site-audit-difference"/g)).toHaveLength(2);
  expect(html).toContain('<option value="site" selected="">site, more than chance</option>');
  expect(html).toContain('<option value="view">view</option>');
  expect(text).toMatch(/the picture {2}0\.9\d|the picture {2}1\.00/);
  expect(text).toMatch(/[AB], Disc {2}0\.25 \(0\.25–0\.25\)/);
  expect(text).toMatch(/Cramér’s V .*Disc/);
  expect(text).toMatch(/\d cells differ by more than chance/);
});

test('a picture in grey or signed colours, with one outline around cells that touch', () => {
  const values = Array.from({ length: 64 }, (_, i) => i / 63);
  const grey = auditRaster({ values, side: 8, range: [0, 1], colours: 'grey' });
  expect([...grey.slice(0, 4), ...grey.slice(-4)]).toEqual([0, 0, 0, 255, 255, 255, 255, 255]);
  const signed = auditRaster({ values: values.map(v => 2 * v - 1), side: 8, range: [-1, 1], colours: 'signed' });
  expect(signed[2]).toBeGreaterThan(signed[0]! + 100);
  expect(signed[4 * 63]).toBeGreaterThan(signed[4 * 63 + 2]! + 100);
  // A block of 3 × 3 cells of the 4 × 4: a ring of black around 4 × 4 pixels that stay as they are.
  const marked = [0, 1, 2, 4, 5, 6, 8, 9, 10];
  const outlined = auditRaster({ values: values.map(() => 1), side: 8, range: [0, 1], colours: 'grey', marked });
  const rows = Array.from({ length: 8 }, (_, y) => Array.from({ length: 8 }, (_v, x) => (outlined[4 * (8 * y + x)] ? '.' : '#')).join(''));
  expect(rows).toEqual(['######..', '#....#..', '#....#..', '#....#..', '#....#..', '######..', '........', '........']);
});
