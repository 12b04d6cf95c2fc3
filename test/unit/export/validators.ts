import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const has = (program: string, ...args: string[]): boolean => spawnSync(program, args, { timeout: 20_000 }).error === undefined;

/** Debian's dicom3tools. */
export const hasDciodvfy = has('dciodvfy', '-version');
const PYTHON = '/usr/bin/python3';
export const hasPydicom = spawnSync(PYTHON, ['-c', 'import pydicom, numpy'], { timeout: 60_000 }).status === 0;
const JARS = ['pixelmed', 'commons-codec', 'vecmath', 'jaxb-api', 'slf4j-api', 'commons-net'].map(name => `/usr/share/java/${name}.jar`);
/** Debian's libpixelmed-java, and a Java that compiles. */
export const hasPixelMed = JARS.every(file => existsSync(file)) && has('javac', '-version') && has('java', '-version');

/** Messages of a validator that is wrong, by their exact text, each with the reason. */
export interface Excuse {
  readonly text: string;
  readonly reason: string;
}

/** The errors that dciodvfy finds in an object. */
export function dciodvfyErrors(bytes: Uint8Array, excuses: readonly Excuse[] = []): string[] {
  return withFiles([bytes], ([file]) => {
    const { stdout, stderr } = spawnSync('dciodvfy', [file!], { encoding: 'utf8', timeout: 60_000, maxBuffer: 2 ** 26 });
    return [...new Set(`${stdout}${stderr}`.split('\n').filter(line => line.startsWith('Error')))].filter(line => !excuses.some(({ text }) => line.includes(text)));
  });
}

/** All files in one virtual machine: starting one and compiling the templates takes longer than a validation. */
const BATCH = `
import com.pixelmed.dicom.*;
public class Batch {
  public static void main(String[] files) throws Exception {
    com.pixelmed.validate.DicomSRValidator validator = new com.pixelmed.validate.DicomSRValidator();
    for (String file : files) {
      AttributeList list = new AttributeList();
      list.read(new DicomInputStream(new java.io.File(file)));
      System.out.println(validator.validate(list));
    }
  }
}`;

/** What PixelMed's validator of structured reports complains of, of every report. */
export function pixelMedErrors(reports: readonly Uint8Array[]): string[] {
  return withFiles([new TextEncoder().encode(BATCH), ...reports], ([batch, ...files]) => {
    const source = `${batch!}.java`;
    renameSync(batch!, source);
    const { stdout, stderr } = spawnSync('java', [
      '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xss64m', '-Djdk.xml.xpathTotalOpLimit=0', '-Djdk.xml.xpathExprOpLimit=0', '-Djdk.xml.xpathExprGrpLimit=0', '-cp', JARS.join(':'), source, ...files,
    ], { encoding: 'utf8', timeout: 300_000 });
    const lines = `${stdout}${stderr}`.split('\n');
    // A validator that found no template has checked nothing.
    const checked = lines.filter(line => line.includes('Root Template Validation Complete')).length;
    return [...lines.filter(line => /Error|Exception/.test(line)), ...(checked === reports.length ? [] : [`validated ${checked} of ${reports.length}: ${lines.join(' ')}`])];
  });
}

/** Runs Python with pydicom over one object; prints JSON. */
export function pydicomOf(bytes: Uint8Array, script: string): unknown {
  return pydicomOver([bytes], `d = pydicom.dcmread(sys.argv[1])\n${script}`);
}

/** As {@link pydicomOf}, over several files at once: their names are `sys.argv[1:]`. */
export function pydicomOver(contents: readonly Uint8Array[], script: string): unknown {
  return withFiles(contents, files => {
    const { stdout, stderr, status } = spawnSync(PYTHON, ['-c', `import json, sys, numpy, pydicom\n${script}`, ...files], { encoding: 'utf8', timeout: 60_000, maxBuffer: 2 ** 28 });
    if (status !== 0) throw new Error(stderr);
    return JSON.parse(stdout) as unknown;
  });
}

function withFiles<T>(contents: readonly Uint8Array[], use: (files: readonly string[]) => T): T {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'overread-validate-'));
  try {
    return use(contents.map((bytes, i) => {
      const file = path.join(folder, `${i}.dcm`);
      writeFileSync(file, bytes);
      return file;
    }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
