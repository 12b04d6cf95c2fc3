/** Where each pixel's ray crosses the film, in mm: frontal (x, v), lateral (y, v). */
export interface FilmGeometry {
  readonly columns: number;
  readonly rows: number;
  readonly spacingMm: number;
  readonly centreU: number;
  readonly centreV: number;
  /** Of the patient against the film, radians. */
  readonly rotation: number;
}

export function filmToPatient(film: FilmGeometry, column: number, row: number): [u: number, v: number] {
  const dc = (column - (film.columns - 1) / 2) * film.spacingMm;
  const dr = (row - (film.rows - 1) / 2) * film.spacingMm;
  const cos = Math.cos(film.rotation);
  const sin = Math.sin(film.rotation);
  return [film.centreU + dc * cos + dr * sin, film.centreV - dc * sin + dr * cos];
}

export function patientToFilm(film: FilmGeometry, u: number, v: number): [column: number, row: number] {
  const cos = Math.cos(film.rotation);
  const sin = Math.sin(film.rotation);
  const du = u - film.centreU;
  const dv = v - film.centreV;
  return [
    (du * cos - dv * sin) / film.spacingMm + (film.columns - 1) / 2,
    (du * sin + dv * cos) / film.spacingMm + (film.rows - 1) / 2,
  ];
}
