/** Where in-plane spacing was read from; the words are those of `SpacingSource`. */
export interface PixelSpacing {
  /** Between neighbouring pixel centres along a row (columns apart) and along a column (rows apart). */
  readonly mm: readonly [column: number, row: number];
  readonly source: 'PixelSpacing' | 'ImagerPixelSpacing' | 'NominalScannedPixelSpacing' | 'SharedFunctionalGroups';
}

/** The three attributes, each [row spacing, column spacing] as DICOM writes them (PS3.3 10.7.1.3). */
export interface SpacingAttributes {
  readonly pixelSpacing?: readonly number[];
  readonly imagerPixelSpacing?: readonly number[];
  readonly nominalScannedPixelSpacing?: readonly number[];
}

/**
 * The in-plane spacing that an instance states, PixelSpacing before ImagerPixelSpacing before
 * NominalScannedPixelSpacing. DICOM writes the row spacing first; here the column spacing comes first, as x does. A
 * spacing that is absent, zero, negative or incomplete is undefined: never 1.
 */
export function chooseSpacing(attributes: SpacingAttributes): PixelSpacing | undefined {
  const { pixelSpacing, imagerPixelSpacing, nominalScannedPixelSpacing } = attributes;
  return (
    spacingFrom(pixelSpacing, 'PixelSpacing') ??
    spacingFrom(imagerPixelSpacing, 'ImagerPixelSpacing') ??
    spacingFrom(nominalScannedPixelSpacing, 'NominalScannedPixelSpacing')
  );
}

export function spacingFrom(values: readonly number[] | undefined, source: PixelSpacing['source']): PixelSpacing | undefined {
  const [row, column] = values ?? [];
  const valid = (v: number | undefined): v is number => v !== undefined && Number.isFinite(v) && v > 0;
  return valid(row) && valid(column) ? { mm: [column, row], source } : undefined;
}
