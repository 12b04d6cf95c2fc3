#!/usr/bin/python3
"""Golden numbers for src/tensor/resize.ts from PyTorch: python3 test/generators/resize.py > test/golden/resize.json"""
import json

import torch
from torch.nn.functional import interpolate

SIZES = [((7, 5), (3, 4)), ((5, 7), (9, 11)), ((16, 16), (5, 5)), ((4, 9), (4, 2)), ((1, 1), (3, 2)), ((40, 3), (1, 7)), ((13, 17), (6, 30)), ((2, 3), (2, 3))]

torch.manual_seed(0)
cases = []
for (rows, columns), (out_rows, out_columns) in SIZES:
    # Sixteenths, so that the input is exact in a few digits.
    plane = torch.randint(-32, 33, (rows, columns)).float() / 16
    out = interpolate(plane[None, None], size=(out_rows, out_columns), mode='bilinear', antialias=True, align_corners=False)[0, 0]
    cases.append({
        'rows': rows, 'columns': columns, 'values': plane.flatten().tolist(),
        'to': {'rows': out_rows, 'columns': out_columns}, 'expected': [round(v, 7) for v in out.flatten().tolist()],
    })
print(json.dumps({'torch': torch.__version__, 'cases': cases}, indent=None, separators=(',', ':')))
