import { engine, type Tensor } from '@tensorflow/tfjs-core';

interface TapeNode {
  readonly inputs: Readonly<Record<string, Tensor | null | undefined>>;
}

/** What is used of tfjs's engine, which its types keep private. */
interface Tape {
  addTapeNode(kernelName: string, inputs: TapeNode['inputs'], outputs: Tensor[], ...rest: unknown[]): void;
  readonly state: { readonly activeTape?: TapeNode[] };
}

let mended = false;

/**
 * Puts tfjs 4.22's tape into an order that can be gone through backwards, once for the process. An operation whose
 * derivative is made of its own output (sigmoid, exp, softmax, every custom gradient) saves a copy of that output, and
 * the copy goes onto the tape before the operation itself. In a second derivative what flows back into the copy then
 * comes too late, and is lost without a word.
 */
export function mendTapeOrder(): void {
  if (mended) return;
  mended = true;
  const tape = engine() as unknown as Tape;
  const add = tape.addTapeNode.bind(tape);
  tape.addTapeNode = (kernelName, inputs, outputs, ...rest) => {
    add(kernelName, inputs, outputs, ...rest);
    const nodes = tape.state.activeTape;
    if (!nodes) return;
    const made = new Set(outputs.map(({ id }) => id));
    const usesMade = (node: TapeNode) => Object.values(node.inputs).some(t => t && made.has(t.id));
    for (let i = nodes.length - 1; i > 0 && usesMade(nodes[i - 1]!); i--) [nodes[i - 1], nodes[i]] = [nodes[i]!, nodes[i - 1]!];
  };
}
