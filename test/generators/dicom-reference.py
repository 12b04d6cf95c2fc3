"""
Writes test/fixtures/dicom-reference.json: what pydicom, and DCMTK where pydicom has no decoder, make of the first frame
of every file in ../shared/data/dicom. The fixture holds numbers only, none of the pictures.

  apt-get install python3-pydicom python3-numpy python3-pil dcmtk
  python3 test/generators/dicom-reference.py > test/fixtures/dicom-reference.json

A file is compared by the SHA-256 of its stored values (samples interleaved, no colour conversion, as little-endian
float64), or, where pydicom changes the layout (YBR_FULL_422 uncompressed), by its RGB means only.
"""
import glob, hashlib, json, os, subprocess, sys, tempfile, warnings
import numpy
import pydicom
from pydicom.pixel_data_handlers.util import convert_color_space

warnings.simplefilter("ignore")
TOOLS = {"1.2.840.10008.1.2.4.5": ["dcmdjpeg", "+cn"], "1.2.840.10008.1.2.4.7": ["dcmdjpeg", "+cn"],
         "1.2.840.10008.1.2.4.8": ["dcmdjpls"], "1.2.840.10008.1.2.5": ["dcmdrle"]}
UNCOMPRESSED = {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"}


def first_frame(dataset):
    array = dataset.pixel_array
    return array[0] if int(dataset.get("NumberOfFrames", 1) or 1) > 1 else array


def read(path):
    """(tool, data set it was read from, first frame), or None where neither tool reads it."""
    dataset = pydicom.dcmread(path, force=True)
    try:
        return "pydicom", dataset, first_frame(dataset)
    except Exception:
        syntax = str(dataset.file_meta.TransferSyntaxUID)
    for prefix, tool in TOOLS.items():
        if syntax not in UNCOMPRESSED and syntax.startswith(prefix):
            with tempfile.NamedTemporaryFile(suffix=".dcm") as plain:
                subprocess.run([*tool, path, plain.name], check=True, capture_output=True)
                dataset = pydicom.dcmread(plain.name)
                return "dcmtk", dataset, first_frame(dataset)
    return None


reference = {}
for folder in ("open", "unstated"):
    for path in sorted(glob.glob(f"../shared/data/dicom/{folder}/dev/*.dcm")):
        try:
            found = read(path)
        except Exception:
            found = None
        if not found:
            continue
        tool, dataset, frame = found
        entry = {"tool": tool}
        photometric = dataset.PhotometricInterpretation
        if not (photometric == "YBR_FULL_422" and str(dataset.file_meta.TransferSyntaxUID) in UNCOMPRESSED and tool == "pydicom"):
            values = numpy.ascontiguousarray(frame.astype("<f8"))
            entry.update(sha256=hashlib.sha256(values.tobytes()).hexdigest(), min=float(values.min()), max=float(values.max()), mean=round(float(values.mean()), 6))
        if photometric in ("YBR_FULL", "YBR_FULL_422"):
            rgb = convert_color_space(frame, "YBR_FULL", "RGB")
            entry["rgbMean"] = [round(float(rgb[..., c].mean()), 3) for c in range(3)]
        reference[f"{folder}/dev/{os.path.basename(path)}"] = entry
lines = [f"  {json.dumps(name)}: {json.dumps(entry)}" for name, entry in sorted(reference.items())]
sys.stdout.write("{\n" + ",\n".join(lines) + "\n}\n")
