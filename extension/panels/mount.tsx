import * as React from 'react';
import { createRoot, type Root } from 'react-dom/client';
import type { Session } from '../session.ts';
import { AiPanel } from './ai-panel.tsx';

/** OHIF 3.14 shares its React 19 here; 3.13 shares none, and takes the elements of our React 18. */
type HostReact = { readonly createElement?: typeof React.createElement };

/**
 * The panel for OHIF. Its own React renders this class, so it uses nothing but a class component's life cycle; inside the
 * div a root of our own React takes over.
 */
export function panelComponent(session: () => Session): React.ComponentType {
  return class OverreadPanel extends React.Component {
    #root: Root | undefined;
    #element: HTMLElement | null = null;

    override componentDidMount(): void {
      if (!this.#element) return;
      this.#root = createRoot(this.#element);
      this.#root.render(<AiPanel session={session()} />);
    }

    override componentWillUnmount(): void {
      const root = this.#root;
      this.#root = undefined;
      // A root may not be unmounted while another React renders.
      setTimeout(() => root?.unmount(), 0);
    }

    override render(): React.ReactNode {
      const keep = (element: HTMLElement | null): void => { this.#element = element; };
      const { createElement = React.createElement } = (globalThis as { react?: HostReact }).react ?? {};
      return createElement('div', {
        className: 'overread-panel',
        style: { height: '100%', width: '100%', overflow: 'auto' },
        ref: keep,
      });
    }
  };
}
