import { remember, remembered } from './remembered.ts';

/**
 * Which plans have passed their self-test on this adapter: once is enough for each model, adapter and version of the kernels. Where
 * there is no storage, it is once a session.
 */
export async function hasPassed(name: string): Promise<boolean> {
  return (await remembered(`self-test ${name}`)) !== undefined;
}

export function keepPassed(name: string): Promise<void> {
  return remember(`self-test ${name}`, 'passed');
}
