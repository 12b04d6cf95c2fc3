"""Golden file for src/cli/io/nifti.ts, by nibabel. Writes test/golden/oblique.nii.gz.

    python3 -m venv .cache/venv && .cache/venv/bin/pip install nibabel
    .cache/venv/bin/python test/generators/nifti.py
"""
import pathlib

import nibabel
import numpy as np

# Oblique, unequal spacing: LPS as DICOM has it, turned to RAS as NIfTI has it.
lps = np.array([[0.5, -0.25, 0.1, -30], [0.2, 0.6, -0.3, 40.5], [-0.1, 0.2, 2.5, -100.25], [0, 0, 0, 1]])
ras = np.diag([-1, -1, 1, 1]) @ lps
values = (np.arange(4 * 3 * 2) % 5).astype(np.uint8).reshape(2, 3, 4).transpose(2, 1, 0)
image = nibabel.Nifti1Image(values, ras)
image.header.set_xyzt_units("mm")
nibabel.save(image, pathlib.Path(__file__).parent.parent / "golden" / "oblique.nii.gz")
