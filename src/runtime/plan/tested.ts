import { remember, remembered } from './remembered.ts';

/** Most browsers do not tell the driver's version: what an update of it broke is found out after so long at the latest. */
const TRUSTED_MS = 7 * 24 * 60 * 60 * 1000;

/**
 * Which plans have passed their self-test on this adapter: once a week is enough for each model, adapter, version of the kernels and of what
 * is between them (`versionsHere`). Where there is no storage, as in Node, it is once a session.
 */
export async function hasPassed(name: string): Promise<boolean> {
  const passed = Date.parse((await remembered(`self-test ${name}`)) ?? '');
  return Math.abs(Date.now() - passed) < TRUSTED_MS;
}

export function keepPassed(name: string): Promise<void> {
  return remember(`self-test ${name}`, new Date(Date.now()).toISOString());
}
