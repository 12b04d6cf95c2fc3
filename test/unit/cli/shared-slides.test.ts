/** Every whole-slide image of ../shared/data/dicom opens, or is refused with its reason. */
import fs from 'node:fs';
import path from 'node:path';
import { JsonSet } from '../../../src/dicom/json-set.ts';
import { readFileHeader } from '../../../src/dicom/node-header.ts';
import { toOverreadError } from '../../../src/errors.ts';
import { openSlideFiles } from '../../../src/image/node-slide-files.ts';
import { slidePyramid } from '../../../src/image/slide/pyramid.ts';
import { slideSource } from '../../../src/image/slide/slide-source.ts';

const DATA = path.join(__dirname, '../../../../shared/data/dicom');
const there = fs.existsSync(DATA);
if (!there) console.warn(`Skipped: ${DATA} is not there.`);

/** Files whose header says modality SM, whatever they hold. */
async function slideFiles(): Promise<string[]> {
  const files = fs.readdirSync(DATA, { recursive: true, withFileTypes: true }).filter(file => file.isFile() && file.name.endsWith('.dcm')).map(file => path.join(file.parentPath, file.name)).sort();
  const slides: string[] = [];
  for (const file of files) {
    const handle = await fs.promises.open(file);
    const header = await readFileHeader(handle, file).catch(() => undefined);
    await handle.close();
    if (header && new JsonSet(header.json).string('00080060') === 'SM') slides.push(file);
  }
  return slides;
}

(there ? test : test.skip)('every SM file opens or is refused by name', async () => {
  const table: Record<string, string> = {};
  for (const file of await slideFiles()) {
    const name = path.basename(file);
    try {
      const slide = await openSlideFiles([file]);
      const pyramid = slidePyramid(slide.instances);
      const level = pyramid.levels[0]!;
      const pixels = await slideSource(pyramid, level, slide).read({ x: 0, y: 0, columns: level.columns, rows: level.rows });
      const mean = pixels.reduce((sum, v) => sum + v, 0) / pixels.length;
      table[name] = `${level.columns} × ${level.rows}, ${level.grid.present} tiles of ${level.image.format.columns} × ${level.image.format.rows}, ${level.image.organisation}, ${level.spacingMm![0].toPrecision(3)} mm, ${level.image.transferSyntaxUID}, mean ${mean.toFixed(2)}`;
      await slide.close();
    } catch (error) {
      const { code, message } = toOverreadError(error);
      table[name] = `${code}: ${message}`;
    }
  }
  // Means of the uncompressed ones and of the JPEG one are those of pydicom 3's pixel arrays (223.463, 225.162, 220.363).
  expect(table).toMatchInlineSnapshot(`
{
  "highdicom__sm_image_control.dcm": "50 × 50, 25 tiles of 10 × 10, TILED_FULL, 0.000499 mm, 1.2.840.10008.1.2.1, mean 223.46",
  "highdicom__sm_image_jpegls.dcm": "50 × 50, 25 tiles of 10 × 10, TILED_FULL, 0.000499 mm, 1.2.840.10008.1.2.4.80, mean 243.89",
  "highdicom__sm_image_jpegls_nobot.dcm": "50 × 50, 25 tiles of 10 × 10, TILED_FULL, 0.000499 mm, 1.2.840.10008.1.2.4.80, mean 243.89",
  "highdicom__sm_image_numbers.dcm": "50 × 50, 25 tiles of 10 × 10, TILED_FULL, 0.000499 mm, 1.2.840.10008.1.2.1, mean 225.16",
  "niivue-demo-images__911f6cbd-a1ad-4e95-bdf5-4e4ea52d9977.dcm": "1680 × 1547, 49 tiles of 240 × 240, TILED_FULL, 0.0158 mm, 1.2.840.10008.1.2.4.50, mean 220.36",
}
`);
});
