import { instanceReference } from '../identity.ts';
import type { InstanceReference } from '../../src/image/image.ts';
import { OverreadError } from '../../src/errors.ts';
import type { DicomInstance } from '../types/ohif.ts';

/**
 * Who and what a picture is of, as hashes with a key that never leaves this browser: numbers of patients are few enough to be
 * tried out against a hash without one.
 * @throws OverreadError `input/no-pixels` for a picture without its UIDs
 */
export async function pseudonyms(instance: DicomInstance | undefined, secret: Uint8Array): Promise<{ readonly id: string; readonly patient: string }> {
  const source = instanceReference(instance);
  if (!instance || !source) throw new OverreadError('input/no-pixels', 'Expected an image with its study, series and instance UIDs to label, got one without. Open the study again.');
  const { PatientID, IssuerOfPatientID } = instance;
  const number = PatientID?.trim();
  const patient = number ? ['patient', IssuerOfPatientID?.trim() ?? '', number] : ['study', source.studyInstanceUID];
  const [id, who] = await Promise.all([pictureId(source, secret), keyedHash(secret, patient)]);
  return { id, patient: who };
}

/** Which picture it is, as a hash. */
export function pictureId({ studyInstanceUID, sopInstanceUID, frame }: InstanceReference, secret: Uint8Array): Promise<string> {
  return keyedHash(secret, ['picture', studyInstanceUID, sopInstanceUID, String(frame)]);
}

/** HMAC-SHA-256, 16 bytes of it in hexadecimal digits. */
export async function keyedHash(secret: Uint8Array, parts: readonly string[]): Promise<string> {
  const key = await crypto.subtle.importKey('raw', secret as Uint8Array<ArrayBuffer>, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  const digest = await crypto.subtle.sign('HMAC', key, new TextEncoder().encode(JSON.stringify(parts)));
  return Array.from(new Uint8Array(digest, 0, 16), byte => byte.toString(16).padStart(2, '0')).join('');
}
