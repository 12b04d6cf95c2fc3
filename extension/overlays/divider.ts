/** What a divider says and asks. */
interface DividerParts {
  readonly page: Document;
  /** The share of the width at which it was put, 0..1. */
  readonly onMove: (share: number) => void;
  /** The width that shares are of, in pixels of the page, and where it begins. */
  readonly box: () => { readonly left: number; readonly width: number };
}

/**
 * A line over an image that is dragged, or moved by the arrow keys: left of it is one result, right of it another. What is
 * done to it never reaches the viewer's tools and hotkeys.
 */
export class Divider {
  readonly element: HTMLElement;
  readonly #onMove: (share: number) => void;
  readonly #box: DividerParts['box'];
  #share = 0.5;

  constructor({ page, onMove, box }: DividerParts) {
    this.#onMove = onMove;
    this.#box = box;
    const element = (this.element = page.createElement('div'));
    element.dataset['overread'] = 'divider';
    element.tabIndex = 0;
    for (const [name, value] of [['role', 'separator'], ['aria-orientation', 'vertical'], ['aria-valuemin', '0'], ['aria-valuemax', '100'], ['aria-label', 'Divider: A is left of it, B right']] as const) element.setAttribute(name, value);
    element.title = 'Drag, or move with the arrow keys';
    // Wide enough for a finger; what is seen of it is a line with a handle.
    Object.assign(element.style, { position: 'absolute', top: '0', bottom: '0', width: '24px', marginLeft: '-12px', cursor: 'ew-resize', pointerEvents: 'auto', touchAction: 'none', outlineOffset: '-6px' });
    const line = page.createElement('div');
    Object.assign(line.style, { position: 'absolute', left: '11px', top: '0', bottom: '0', width: '2px', background: 'white', boxShadow: '0 0 0 1px rgb(8 14 26 / 0.8)', pointerEvents: 'none' });
    const handle = page.createElement('div');
    handle.textContent = '◂ ▸';
    Object.assign(handle.style, {
      position: 'absolute', left: '-6px', top: '50%', width: '36px', height: '24px', marginTop: '-12px', borderRadius: '12px', font: '600 12px/24px system-ui, sans-serif',
      textAlign: 'center', color: 'rgb(8 14 26)', background: 'white', boxShadow: '0 0 0 1px rgb(8 14 26 / 0.8)', pointerEvents: 'none', whiteSpace: 'nowrap',
    });
    element.append(line, handle);
    const own = (event: Event) => event.stopPropagation();
    for (const type of ['mousedown', 'touchstart', 'click', 'dblclick', 'contextmenu']) element.addEventListener(type, own);
    element.addEventListener('pointerdown', this.#down);
    element.addEventListener('keydown', this.#key);
  }

  place(share: number): void {
    this.#share = share;
    this.element.style.left = `${100 * share}%`;
    this.element.setAttribute('aria-valuenow', String(Math.round(100 * share)));
    this.element.setAttribute('aria-valuetext', `A on ${Math.round(100 * share)} % of the image`);
  }

  readonly #down = (event: PointerEvent): void => {
    event.stopPropagation();
    event.preventDefault();
    this.element.focus();
    this.element.setPointerCapture(event.pointerId);
    const move = ({ clientX }: PointerEvent) => {
      const { left, width } = this.#box();
      this.#onMove(Math.min(1, Math.max(0, (clientX - left) / width)));
    };
    const up = () => {
      this.element.removeEventListener('pointermove', move);
      for (const type of ['pointerup', 'pointercancel'] as const) this.element.removeEventListener(type, up);
    };
    this.element.addEventListener('pointermove', move);
    for (const type of ['pointerup', 'pointercancel'] as const) this.element.addEventListener(type, up);
  };

  readonly #key = (event: KeyboardEvent): void => {
    const step = event.shiftKey ? 0.1 : 0.02;
    const to = { ArrowLeft: this.#share - step, ArrowRight: this.#share + step, Home: 0, End: 1 }[event.key];
    if (to === undefined) return;
    event.stopPropagation();
    event.preventDefault();
    this.#onMove(Math.min(1, Math.max(0, to)));
  };
}
