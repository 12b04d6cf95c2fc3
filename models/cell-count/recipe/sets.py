"""Writes the tuning or validation pictures of each kind as a data set that `overread eval` reads.

    python3 models/cell-count/recipe/sets.py --data ../shared/data --fields fields --part validation --out sets
    npx overread eval --model cell-count --dataset sets/he
"""
import argparse
import json
from pathlib import Path

import numpy as np
from PIL import Image

from counter import CLASSES
from pictures import PARTS, read_part


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', type=Path, default=Path('../shared/data'))
    parser.add_argument('--fields', type=Path, required=True)
    parser.add_argument('--part', choices=PARTS, default='validation')
    parser.add_argument('--out', type=Path, required=True)
    args = parser.parse_args()
    for kind, pictures in read_part(args.data, args.fields, args.part).items():
        folder, items = args.out / kind, []
        folder.mkdir(parents=True, exist_ok=True)
        for one in pictures:
            files = {'images': [{'path': f'{one.id}.png', 'modality': 'GM'}], 'instances': f'{one.id}-instances.png', 'dots': f'{one.id}.csv'}
            grey = (one.rgb == one.rgb[..., :1]).all()
            Image.fromarray((one.rgb[..., 0] if grey else one.rgb).astype(np.uint8)).save(folder / f'{one.id}.png')
            Image.fromarray(one.instances.astype(np.uint16)).save(folder / files['instances'])
            lines = [f'{x:.3f},{y:.3f},{CLASSES[int(k)]}' for x, y, k in one.dots]
            (folder / files['dots']).write_text('\n'.join(['x,y,class', *lines]) + '\n')
            items.append({'id': one.id, 'patientId': one.id, **files})
        about = {'schemaVersion': 1, 'name': f'{kind}, {args.part}', 'licence': 'CC0-1.0', 'items': items}
        (folder / 'dataset.json').write_text(json.dumps(about, indent=1) + '\n')


if __name__ == '__main__':
    main()
