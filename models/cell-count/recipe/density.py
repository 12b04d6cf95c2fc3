"""Dots -> density. A cell is a Gaussian that sums to UNIT; a large nucleus has a wider one, for where its middle is is less sure."""
import numpy as np

SIGMA, LARGEST_SIGMA = 2.0, 7.0  # pixels
SIGMA_OF_DIAMETER = 0.12
UNIT = 2 * np.pi * SIGMA ** 2


def density_of(dots, areas, shape, classes, largest_sigma=LARGEST_SIGMA):
    """dots [n, 3] (x, y, class) of nuclei of so many pixels -> [classes, rows, columns] float32; what a border cuts off of a Gaussian is made up within it."""
    planes = np.zeros((classes, *shape), np.float32)
    sigmas = np.clip(SIGMA_OF_DIAMETER * 2 * np.sqrt(areas / np.pi), SIGMA, largest_sigma)
    for k, plane in enumerate(planes):
        mine, sigma, along = dots[dots[:, 2] == k], sigmas[dots[:, 2] == k, None], []
        for n, centres in zip(shape, (mine[:, 1], mine[:, 0])):
            line = np.exp(-0.5 * ((np.arange(n) - centres[:, None]) / sigma) ** 2)
            along.append(line / line.sum(1, keepdims=True) * np.sqrt(UNIT))
        plane[:] = along[0].T @ along[1]
    return planes
