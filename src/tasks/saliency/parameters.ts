import { OverreadError } from '../../errors.ts';

/**
 * A number within bounds.
 * @throws OverreadError `config/invalid`
 */
export function numberWithin(name: string, value: number, min: number, max: number): number {
  if (value >= min && value <= max) return value;
  throw new OverreadError('config/invalid', `Expected ${name} to be a number from ${min} to ${max}, got ${value}. Choose another one.`, { expected: [min, max], got: value });
}

/** As {@link numberWithin}, a whole number. */
export function integerWithin(name: string, value: number, min: number, max: number): number {
  if (Number.isInteger(numberWithin(name, value, min, max))) return value;
  throw new OverreadError('config/invalid', `Expected ${name} to be a whole number, got ${value}. Choose another one.`, { expected: 'integer', got: value });
}
