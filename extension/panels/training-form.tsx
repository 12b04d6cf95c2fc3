import type { DeviceDescription } from '../../src/results/result.ts';
import type { CatalogueEntry } from '../catalogue.ts';
import type { Session } from '../session.ts';
import { patientsOf } from '../training/label-item.ts';
import { defaultChoice, GUIDANCES, LAYERS, LOSSES, lossesFor, type RecipeChoice } from '../training/recipes.ts';
import { counted, formatDevice } from './format.ts';

/** What a user chose; it outlives a training, so that the next one starts from it. */
export interface FormChoice extends RecipeChoice {
  /** Trains without a GPU. */
  readonly slow?: boolean;
}

interface FormProps {
  readonly session: Session;
  readonly parent: CatalogueEntry;
  /** Absent until it was looked for. */
  readonly device: DeviceDescription | undefined;
  readonly chosen: FormChoice | undefined;
  readonly onChoose: (choice: FormChoice) => void;
}

/** What is trained and how, and the button that begins it. */
export function TrainingForm({ session: { training }, parent, device, chosen, onChoose }: FormProps) {
  const { manifest } = parent;
  const { slow = false, ...choice }: FormChoice = chosen ?? defaultChoice(manifest);
  const labels = training.labelsFor(parent);
  const change = (of: Partial<FormChoice>) => onChoose({ ...choice, slow, ...of });
  const number = (name: keyof RecipeChoice, text: string, step?: number) => (
    <label className="ovr-field">
      <span>{text}</span>
      <input type="number" min={step ?? 1} step={step ?? 1} value={choice[name] as number} onChange={event => change({ [name]: event.target.valueAsNumber })} data-overread={`train-${name}`} />
    </label>
  );
  const guided = manifest.task === 'classify' && labels.some(({ classes }) => classes !== undefined);
  const needsTick = device !== undefined && (device.software || (device.backend !== 'webgpu' && device.backend !== 'webgl'));
  const patients = patientsOf(labels);
  return (
    <>
      <div className="ovr-grid">
        <Choice text="Layers" value={choice.layers} of={LAYERS} onChange={layers => change({ layers })} name="train-layers" />
        <Choice text="Loss" value={choice.loss} of={Object.fromEntries(lossesFor(manifest).map(kind => [kind, LOSSES[kind]])) as Partial<typeof LOSSES>} onChange={loss => change({ loss })} name="train-loss" />
        {number('steps', 'Steps')}
        {number('batch', 'Pictures a step')}
        {number('rate', 'Learning rate', 0.0001)}
        {choice.patch !== undefined && number('patch', 'Patch, pixels', 32)}
        {guided && (
          <label className="ovr-field" title="Adds to the loss what keeps the model from reasons outside of the masks">
            <span>Right for the right reasons</span>
            <select value={choice.guidance ?? ''} onChange={event => change({ guidance: event.target.value === '' ? undefined : event.target.value as keyof typeof GUIDANCES })} data-overread="train-guidance">
              <option value="">Off</option>
              {Object.entries(GUIDANCES).map(([kind, name]) => <option key={kind} value={kind}>{name}</option>)}
            </select>
          </label>
        )}
      </div>
      {device && needsTick && (
        <div className="ovr-message ovr-warning" data-overread="needs-gpu">
          <p className="ovr-strong">Training needs a GPU</p>
          <p>Here is {formatDevice(device)}. Without WebGPU or WebGL on a real GPU each step takes many times as long, and the viewer may stutter.</p>
          <label className="ovr-check"><input type="checkbox" checked={slow} onChange={event => change({ slow: event.target.checked })} data-overread="allow-slow" /> Train without a GPU</label>
        </div>
      )}
      <button type="button" className="ovr-button ovr-primary" disabled={labels.length === 0} onClick={() => void training.start(parent, choice, slow)} data-overread="train-start">
        {labels.length === 0 ? 'Add labels first' : `Train on ${counted(labels.length, 'label')} of ${counted(patients, 'patient')}`}
      </button>
      {patients === 1 && <p className="ovr-muted">With one patient nothing can be held back to measure on: it takes labels of two at least.</p>}
    </>
  );
}

function Choice<K extends string>({ text, value, of, onChange, name }: { text: string; value: K; of: Readonly<Partial<Record<K, string>>>; onChange: (value: K) => void; name: string }) {
  return (
    <label className="ovr-field">
      <span>{text}</span>
      <select value={value} onChange={event => onChange(event.target.value as K)} data-overread={name}>
        {Object.entries(of).map(([key, label]) => <option key={key} value={key}>{label as string}</option>)}
      </select>
    </label>
  );
}
