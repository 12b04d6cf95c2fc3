/** What a DICOMweb server that asks for a password is sent. */
export function headersOf({ dicomwebAuth = process.env.OVERREAD_DICOMWEB_AUTH }: { readonly dicomwebAuth?: string }): { readonly Authorization: string } | undefined {
  return dicomwebAuth === undefined ? undefined : { Authorization: `Basic ${Buffer.from(dicomwebAuth).toString('base64')}` };
}
