import type { TrainingRecord } from '../manifest.ts';
import type { Trained } from './trainer.ts';

type Metric = TrainingRecord['metrics'][string]['base'];

/** How far the strongest derivatives of the findings lie in the masks, as intersection over union; only of models that were guided. */
export const SALIENCY_METRIC = 'saliencyIou';

/** Stands wherever that number does. */
export const SALIENCY_WARNING = 'A saliency that lies in the mask does not prove that the model is right, nor the other way round: go by the AUC on patients from elsewhere.';

/** The card of a model that was trained further, in Markdown. */
export function cardOf(name: string, { parent, dataset, metrics, step }: TrainingRecord, { ended }: Pick<Trained, 'ended'>): string {
  const rows = Object.entries(metrics).map(([metric, { base, tuned, difference }]) => `| ${metric} | ${[base, tuned, difference].map(of => metricCells(of).join(' ').trim()).join(' | ')} |`);
  return [
    `# ${name}`, '',
    `Trained further from ${parent.id} ${parent.version} (SHA-256 ${parent.sha256}) on ${dataset.train.items} items of ${dataset.train.patients} patients of '${dataset.name}' (${dataset.licence}); the weights of step ${step}${ended === 'early' ? ', where validation was best' : ''}.`,
    `**Measured on ${dataset.validation.items} items of ${dataset.validation.patients} patients that it did not learn from, which also chose the step. Research use only. Not for diagnosis.**`, '',
    '| metric | base | trained | difference |', '| --- | --- | --- | --- |', ...rows, '',
    ...(SALIENCY_METRIC in metrics ? [`${SALIENCY_METRIC}: the strongest pixels of the derivative of the findings' logits, as many as the mask has, against the mask. ${SALIENCY_WARNING}`, ''] : []),
    'Intervals: 95 %, bootstrap over patients. `report.json` has the curve and the recipe; `manifest.json` the record of the training.', '',
  ].join('\n');
}

/** A number and its interval, which is empty where there is none. */
export function metricCells({ value, low, high }: Metric): [value: string, interval: string] {
  return [value.toFixed(4), low === undefined || high === undefined ? '' : `(${low.toFixed(4)} to ${high.toFixed(4)})`];
}
