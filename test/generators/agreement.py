"""Golden numbers for kappa, limits of agreement and paired areas, by scikit-learn, SciPy and pROC. Writes test/golden/agreement.json.

    apt-get install python3-sklearn r-cran-proc && /usr/bin/python3 test/generators/agreement.py
"""
import json
import pathlib
import subprocess

import numpy as np
import scipy
import sklearn
from scipy import stats
from sklearn.metrics import cohen_kappa_score

rng = np.random.default_rng(23)

kappas = []
for size, classes, noise in [(40, 2, 0.2), (300, 4, 0.4), (25, 3, 0.9), (1000, 5, 0.1)]:
    a = rng.integers(0, classes, size)
    b = np.where(rng.random(size) < noise, rng.integers(0, classes, size), a)
    for weights in (None, 'linear', 'quadratic'):
        # The large-sample error by the delta method: kappa's derivatives by each cell's share, taken numerically.
        table = np.zeros((classes, classes))
        np.add.at(table, (a, b), 1)
        shares = table / size
        distance = np.abs(np.subtract.outer(np.arange(classes), np.arange(classes))) / (classes - 1)
        cost = {None: (distance > 0).astype(float), 'linear': distance, 'quadratic': distance ** 2}[weights]

        def kappa(p):
            p = p / p.sum()
            return 1 - (cost * p).sum() / (cost * np.outer(p.sum(1), p.sum(0))).sum()

        step = 1e-6
        slopes = np.array([[(kappa(shares + step * e) - kappa(shares - step * e)) / (2 * step)
                            for e in (np.eye(classes * classes)[i * classes + j].reshape(classes, classes) for j in range(classes))] for i in range(classes)])
        variance = ((shares * slopes ** 2).sum() - (shares * slopes).sum() ** 2) / size
        kappas.append({'a': a.tolist(), 'b': b.tolist(), 'weights': weights, 'kappa': cohen_kappa_score(a, b, weights=weights), 'error': float(np.sqrt(variance))})

limits = []
for size in (2, 12, 150):
    a = rng.normal(100, 20, size)
    b = a + rng.normal(3, 7, size)
    d = a - b
    s, t = d.std(ddof=1), stats.t.ppf(0.975, size - 1)
    low, high = stats.t.interval(0.95, size - 1, loc=d.mean(), scale=stats.sem(d))
    error = s * np.sqrt(1 / size + 1.96 ** 2 / (2 * (size - 1)))
    limits.append({'a': a.tolist(), 'b': b.tolist(), 'bias': d.mean(), 'low': low, 'high': high, 'deviation': s,
                   'lower': d.mean() - 1.96 * s, 'upper': d.mean() + 1.96 * s, 'half': t * error})

R = """
suppressMessages(library(pROC)); x <- read.csv(file('stdin'))
a <- roc(x$truth, x$a, levels=c(0,1), direction='<', quiet=TRUE); b <- roc(x$truth, x$b, levels=c(0,1), direction='<', quiet=TRUE)
t <- roc.test(a, b, method='delong', paired=TRUE)
cat(sprintf('%.15g', c(auc(a), auc(b), var(a), var(b), cov(a, b), t$statistic, t$p.value)), as.character(packageVersion('pROC')))
"""
areas = []
for size, prevalence, decimals in [(30, 0.5, 6), (200, 0.2, 1), (500, 0.05, 3)]:
    truth = rng.random(size) < prevalence
    truth[:4] = [True, True, False, False]
    common = rng.normal(0, 1, size)
    a = np.round(truth * 1.2 + common + rng.normal(0, 0.5, size), decimals)
    b = np.round(truth * 0.8 + common + rng.normal(0, 0.7, size), decimals)
    csv = 'truth,a,b\n' + ''.join(f'{int(t)},{x},{y}\n' for t, x, y in zip(truth, a, b))
    *numbers, version = subprocess.run(['Rscript', '-e', R], input=csv, capture_output=True, text=True, check=True).stdout.split()
    names = ['aucA', 'aucB', 'varianceA', 'varianceB', 'covariance', 'z', 'p']
    areas.append({'truth': truth.tolist(), 'a': a.tolist(), 'b': b.tolist(), **dict(zip(names, map(float, numbers)))})

out = pathlib.Path(__file__).parent.parent / 'golden' / 'agreement.json'
out.write_text(json.dumps({'by': {'scikit-learn': sklearn.__version__, 'scipy': scipy.__version__, 'pROC': version}, 'kappas': kappas, 'limits': limits, 'areas': areas}) + '\n')
