import { useState } from 'react';
import { toOverreadError } from '../../src/errors.ts';
import type { ShownAudit, ShownFactor } from '../../src/evaluation/site-audit/audit-json.ts';
import { FileButton } from './file-button.tsx';
import { Message } from './message.tsx';
import { SiteAuditPicture } from './site-audit-picture.tsx';

/** What `overread audit` found, in the viewer: mean pictures by group, where they differ, how well groups are told apart, and what comes with what. */
export function SiteAuditSection() {
  const [audit, setAudit] = useState<ShownAudit>();
  const [error, setError] = useState<string>();
  const open = async (file: File) => {
    try {
      // Its checks come when they are wanted.
      const { readAudit } = await import('../../src/evaluation/site-audit/audit-json.ts');
      setAudit(readAudit(await file.text(), file.name));
      setError(undefined);
    } catch (caught) {
      setError(toOverreadError(caught).message);
    }
  };
  return (
    <section aria-label="Site audit" data-overread="site-audit">
      <details>
        <summary className="ovr-summary">Site audit{audit && <span className="ovr-muted"> · {audit.audit.pictures} pictures</span>}</summary>
        <div className="ovr-training">
          <p className="ovr-muted">What tells sites, scanners and patients apart in pictures, as <code>overread audit</code> found it. The file stays in this browser.</p>
          <div className="ovr-row"><FileButton text="Open an audit…" label="audit.json of overread audit" accept=".json,application/json" name="site-audit-file" onFile={file => void open(file)} /></div>
          {error && <Message tone="error" title="Not opened" text={error} onDismiss={() => setError(undefined)} />}
          {audit && <SiteAuditBody key={audit.madeAt} audit={audit} />}
        </div>
      </details>
    </section>
  );
}

/** An audit that was opened; its first factor with groups is shown first. */
export function SiteAuditBody({ audit }: { audit: ShownAudit }) {
  const [chosen, choose] = useState<string>();
  const { audit: { factors, pictures, patients }, madeAt, model } = audit;
  const factor = factors.find(({ name }) => name === chosen) ?? factors.find(({ groups }) => groups.length > 0) ?? factors[0];
  return (
    <>
      <p>{pictures} pictures of {patients} patients, {new Date(madeAt).toLocaleDateString()}{model && <>; scores and features of {model.id} {model.version}</>}.</p>
      <label className="ovr-field">
        <span>Told apart by</span>
        <select value={factor?.name ?? ''} onChange={event => choose(event.target.value)} data-overread="site-audit-factor">
          {factors.map(({ name, pixels, fromPicture, fromFeatures }) => <option key={name} value={name}>{name}{[pixels, fromPicture, fromFeatures].some(isFound) ? ', more than chance' : ''}</option>)}
        </select>
      </label>
      {factor && <FactorBody factor={factor} />}
      {factor && <Outcomes audit={audit} factor={factor} />}
      {factor && <ComesWith audit={audit} factor={factor} />}
    </>
  );
}

function isFound(test: { readonly adjusted: number } | undefined): boolean {
  return test !== undefined && test.adjusted < 0.05;
}

function FactorBody({ factor: { name, kind, side, groups, remarks, pixels, fromPicture, fromFeatures } }: { factor: ShownFactor }) {
  const means = groups.flatMap(({ mean }) => mean);
  const grey = [least(means), -least(means.map(value => -value))] as const;
  const largest = -least(groups.flatMap(({ difference }) => difference.map(value => -Math.abs(value))));
  return (
    <div data-overread="site-audit-body">
      {remarks.map(remark => <p key={remark} className="ovr-muted">{remark}.</p>)}
      {pixels && (
        <table className="ovr-numbers" aria-label={`How well ${name} is told`} data-overread="site-audit-told">
          <thead className="ovr-muted"><tr><th scope="col">Told from</th><th scope="col">{kind === 'label' ? 'AUC' : 'AUC, wanted 0.5'}</th><th scope="col">p</th></tr></thead>
          <tbody>
            <tr><th scope="row">the mean pictures</th><td /><td>{pText(pixels)}</td></tr>
            {fromPicture && <tr><th scope="row">the picture</th><td>{estimate(fromPicture.mean)}</td><td>{pText(fromPicture)}</td></tr>}
            {fromFeatures && <tr><th scope="row">the model’s features</th><td>{estimate(fromFeatures.mean)}</td><td>{pText(fromFeatures)}</td></tr>}
          </tbody>
        </table>
      )}
      {groups.map(group => (
        <figure key={group.name} data-overread="site-audit-group" style={{ margin: '8px 0' }}>
          <div style={{ display: 'flex', gap: 6 }}>
            <SiteAuditPicture values={group.mean} side={side} range={grey} colours="grey" label={`Mean picture of ${group.name}`} name="site-audit-mean" />
            <SiteAuditPicture values={group.difference} side={side} range={[-largest, largest]} colours="signed" marked={group.significant} label={`${group.name} less all others`} name="site-audit-difference" />
          </div>
          <figcaption className="ovr-muted">{group.name}: {group.pictures} pictures of {group.patients} patients; {group.significant.length === 0 ? 'no cell differs by more than chance' : `${group.significant.length} cells differ by more than chance`}</figcaption>
        </figure>
      ))}
      {groups.length > 0 && <p className="ovr-muted">Left the mean, right what differs from all others: red brighter, blue darker. p is corrected for all cells and tests. Told apart is not why: see what comes with it.</p>}
    </div>
  );
}

function Outcomes({ audit: { audit: { outcomes } }, factor }: { audit: ShownAudit; factor: ShownFactor }) {
  const own = outcomes.filter(({ factor: name }) => name === factor.name);
  if (own.length === 0) return null;
  return (
    <table className="ovr-numbers" aria-label={`The model’s scores by ${factor.name}`} data-overread="site-audit-outcomes">
      <thead className="ovr-muted"><tr><th scope="col">Group and label</th><th scope="col">Mean score</th><th scope="col">AUC</th></tr></thead>
      <tbody>{own.map(({ group, label, score, auc }) => <tr key={`${group} ${label}`}><th scope="row">{group}, {label}</th><td>{estimate(score)}</td><td>{auc ? estimate(auc) : '–'}</td></tr>)}</tbody>
    </table>
  );
}

function ComesWith({ audit: { audit: { confounding } }, factor: { name } }: { audit: ShownAudit; factor: ShownFactor }) {
  const own = confounding.filter(({ rows, columns }) => rows.factor === name || columns.factor === name);
  if (own.length === 0) return null;
  return (
    <table className="ovr-numbers" aria-label={`What comes with ${name}`} data-overread="site-audit-confounding">
      <thead className="ovr-muted"><tr><th scope="col">Comes with</th><th scope="col" title="0 where two have nothing to do with each other, 1 where one tells the other">Cramér’s V</th><th scope="col">p</th></tr></thead>
      <tbody>{own.map(pair => {
        const other = pair.rows.factor === name ? pair.columns.factor : pair.rows.factor;
        return <tr key={other}><th scope="row">{other}</th><td>{estimate(pair.v)}</td><td>{pText(pair)}</td></tr>;
      })}</tbody>
    </table>
  );
}

/** A spread would not take so many arguments. */
function least(values: readonly number[]): number {
  return values.reduce((low, value) => Math.min(low, value), Infinity);
}

function estimate({ value, low, high }: { readonly value: number; readonly low?: number | undefined; readonly high?: number | undefined }): string {
  return low === undefined || high === undefined ? value.toFixed(2) : `${value.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`;
}

function pText({ adjusted }: { readonly adjusted: number }): string {
  return `${adjusted < 0.001 ? '< 0.001' : adjusted.toFixed(3)}${adjusted < 0.05 ? ' *' : ''}`;
}
