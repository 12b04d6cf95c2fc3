"""Golden numbers for the site audit, by scikit-learn, SciPy, numpy and R. Writes test/golden/site-audit.json.

    apt-get install python3-sklearn r-base-core && /usr/bin/python3 test/generators/site-audit.py
"""
import json
import pathlib
import subprocess

import numpy as np
import scipy
import sklearn
from scipy.stats import chi2_contingency
from scipy.stats.contingency import association, odds_ratio
from sklearn.linear_model import Ridge

rng = np.random.default_rng(41)
digits = lambda values, n=12: np.round(np.asarray(values, float), n).tolist()

tables = []
for shape, scale in [((2, 2), 30), ((2, 3), 12), ((4, 3), 50), ((2, 2), 4)]:
    table = rng.poisson(scale * rng.uniform(0.3, 1.7, shape)) + 1
    chi2, p, degrees, _ = chi2_contingency(table, correction=False)
    entry = {'table': table.tolist(), 'chi2': chi2, 'p': p, 'degrees': int(degrees), 'v': association(table, method='cramer')}
    if shape == (2, 2):
        odds = odds_ratio(table, kind='sample')
        interval = odds.confidence_interval(0.95)
        entry['odds'] = [odds.statistic, interval.low, interval.high]
    tables.append(entry)

ps = digits(rng.uniform(0, 1, 9) ** 3, 6) + [0.04, 0.04]
holm = subprocess.run(['Rscript', '-e', f"cat(sprintf('%.12g', p.adjust(c({','.join(map(str, ps))}), 'holm')))"], capture_output=True, text=True, check=True).stdout.split()

# Ridge regression on features, standardised over all items or not, one fold held back; the mean of the training's labels is taken off.
n, size = 40, 7
features = np.round(rng.normal(0, 2, (n, size)) + np.arange(size), 4).astype(np.float32)
labels = rng.integers(0, 3, n)
test = [1, 5, 6, 17, 30, 39]
train = [i for i in range(n) if i not in test]
ridge = {}
for name, deviation in (('standardised', features.astype(float).std(0)), ('plain', 1)):
    scaled = (features - features.astype(float).mean(0)) / deviation / np.sqrt(size)
    alpha = 0.1 * ((scaled[train] - scaled[train].mean(0)) ** 2).sum() / len(train)
    ridge[name] = []
    for group in range(3):
        truth = (labels == group).astype(float)
        fitted = Ridge(alpha=alpha, solver='cholesky').fit(scaled[train], truth[train])
        ridge[name].append((fitted.predict(scaled[test]) - truth[train].mean()).tolist())

# Subspace alignment as in the paper, by singular values.
source = np.round(rng.normal(0, 1, (12, 9)) @ rng.normal(0, 1, (9, 9)) + 3, 4).astype(np.float32)
target = np.round(rng.normal(0, 1, (10, 9)) @ rng.normal(0, 1, (9, 9)) * 2 - 1, 4).astype(np.float32)
target[:, 4] = 5
d = 3
moments = lambda x: (x.astype(float).mean(0), np.where(x.astype(float).std(0) > 0, x.astype(float).std(0), 1))
(ms, ss), (mt, st) = moments(source), moments(target)
S, T = (source - ms) / ss, (target - mt) / st
XS, XT = (np.linalg.svd(x, full_matrices=False)[2][:d].T for x in (S, T))
moved, kept = ms + ss * (T @ XT @ XT.T @ XS @ XS.T), ms + ss * (S @ XS @ XS.T)

out = pathlib.Path(__file__).parent.parent / 'golden' / 'site-audit.json'
out.write_text(json.dumps({
    'by': {'scikit-learn': sklearn.__version__, 'scipy': scipy.__version__, 'numpy': np.__version__}, 'tables': tables,
    'holm': {'p': ps, 'adjusted': [float(x) for x in holm]},
    'ridge': {'features': features.tolist(), 'labels': labels.tolist(), 'test': test, 'scores': ridge},
    'alignment': {'source': source.tolist(), 'target': target.tolist(), 'dimensions': d, 'aligned': np.abs(S @ XS @ XS.T @ XT).tolist(), 'projected': np.abs(T @ XT).tolist(), 'moved': moved.tolist(), 'kept': kept.tolist()},
}) + '\n')
