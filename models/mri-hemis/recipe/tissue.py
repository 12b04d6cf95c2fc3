"""What the tissues of a brain-extracted patient are: shares of fluid, grey and white matter, and how far the ventricles are."""
import numpy as np
from scipy import ndimage

ROUNDS, EVERY = 30, 23  # voxels


def tissue_shares(volumes, lesion):
    """
    {modality: volume of z-scores, brain-extracted}, bool lesion -> float32 [3, slices, rows, columns]: shares of fluid,
    grey and white matter, 0 in lesions and out of the brain. Three means of T1 with soft bounds between them.
    """
    brain, t1 = brain_of(volumes), volumes['T1']
    values = t1[brain & ~ndimage.binary_dilation(lesion)][::EVERY]
    means = np.percentile(values, (8, 35, 80))
    for _ in range(ROUNDS):
        nearest = np.abs(values[:, None] - means).argmin(1)
        means = np.array([values[nearest == i].mean() for i in range(3)])
    low, high = (means[0] + means[1]) / 2, (means[1] + means[2]) / 2
    above_fluid, above_grey = (1 / (1 + np.exp((bound - t1) / width)) for bound, width in ((low, 0.15), (high, 0.08)))
    shares = np.stack([1 - above_fluid, above_fluid * (1 - above_grey), above_fluid * above_grey]).astype(np.float32)
    shares *= brain & ~lesion
    return np.stack([ndimage.gaussian_filter(share, 0.5) for share in shares])


def brain_of(volumes):
    """Where there is signal: around an extracted brain there is none but for a few edges."""
    t1 = volumes['T1']
    return ndimage.binary_fill_holes(ndimage.binary_opening(t1 > np.median(t1[0]) + 0.15, iterations=2))


def ventricle_distance(fluid):
    """Distance in voxels from the ventricles: large pieces of fluid in the middle of the brain."""
    middle = np.zeros(fluid.shape, bool)
    slices, rows, columns = fluid.shape
    middle[int(0.3 * slices):int(0.65 * slices), int(0.28 * rows):int(0.72 * rows), int(0.37 * columns):int(0.63 * columns)] = True
    pieces, _ = ndimage.label(ndimage.binary_erosion((fluid > 0.5) & middle))
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    large = np.isin(pieces, np.argsort(sizes)[::-1][:3])
    return ndimage.distance_transform_edt(~ndimage.binary_dilation(large)).astype(np.float32)
