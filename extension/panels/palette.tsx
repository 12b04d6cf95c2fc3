import { useState, useSyncExternalStore } from 'react';
import { dotTarget, isDots } from '../../src/results/dots.ts';
import type { PointsResult } from '../../src/results/points.ts';
import type { Counting } from '../counting/index.ts';
import { colorOf, cssColor } from '../overlays/colors.ts';
import type { KeptResult } from '../results-store.ts';

interface PaletteProps {
  readonly counting: Counting;
  readonly kept: KeptResult;
  readonly result: PointsResult;
}

/** What the next click sets: a class, or it takes a marker away. */
export function Palette({ counting: { dotting, edits }, kept, result }: PaletteProps) {
  const { classIndex, erasing } = useSyncExternalStore(dotting.state.subscribe, dotting.state.get, dotting.state.get);
  return (
    <div className="ovr-palette" role="group" aria-label="Classes" data-overread="palette">
      <ul>
        {result.classes.map(({ target }, i) => (
          <li key={i}>
            <button
              type="button" className="ovr-button ovr-small" aria-pressed={!erasing && classIndex === i} onClick={() => dotting.choose(i)} data-overread="class" data-class={i}
            >
              <span className="ovr-swatch" style={{ background: cssColor(colorOf(target, i + 1)) }} />
              {target.label}
              {i < 9 && <kbd aria-hidden="true">{i + 1}</kbd>}
            </button>
          </li>
        ))}
        <li>
          <button type="button" className="ovr-button ovr-small" aria-pressed={erasing} onClick={() => dotting.setErasing(!erasing)} data-overread="erase">Delete markers</button>
        </li>
      </ul>
      {isDots(result) && <ClassNames key={result.classes.length} result={result} onNames={labels => edits.setTargets(kept.key, labels.map(dotTarget))} onAdded={() => dotting.choose(result.classes.length)} />}
      <p className="ovr-muted">
        A click sets a marker, or gives the one under it this class. <kbd>⇧</kbd> click or <kbd>Del</kbd> deletes it, <kbd>Esc</kbd> ends; undo is the viewer's own.
      </p>
    </div>
  );
}

interface NamesProps {
  readonly result: PointsResult;
  readonly onNames: (labels: readonly string[]) => void;
  readonly onAdded: () => void;
}

/** One more class for a reader's own dots. */
function ClassNames({ result, onNames, onAdded }: NamesProps) {
  const [name, setName] = useState('');
  const labels = result.classes.map(({ target }) => target.label);
  const wanted = name.trim();
  const taken = labels.includes(wanted);
  const blank = result.classOf.length === 0 && labels.join() === 'Cell';
  return (
    <form
      className="ovr-row"
      onSubmit={event => {
        event.preventDefault();
        if (!wanted || taken || labels.length >= 255) return;
        onNames([...labels, wanted]);
        setName('');
        onAdded();
      }}
    >
      <input type="text" value={name} maxLength={64} placeholder={blank ? 'Another class, such as Dead' : 'Another class'} aria-label="Name of another class" aria-invalid={taken} onChange={event => setName(event.target.value)} data-overread="class-name" />
      <button type="submit" className="ovr-button ovr-small" disabled={!wanted || taken} data-overread="add-class">Add class</button>
    </form>
  );
}
