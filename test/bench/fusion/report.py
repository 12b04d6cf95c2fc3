"""The results as a table and a plot."""
import matplotlib

matplotlib.use('Agg')
import matplotlib.pyplot as plt  # noqa: E402

NAMES = {'PA': 'PA only', 'L': 'lateral only', 'stacked': 'stacked', 'hemis': 'HeMIS', 'dualnet': 'DualNet', 'auxloss': 'AuxLoss', 'located': 'AuxLoss, located'}


def cell(value, low_high):
    return f'{value:.3f} ({low_high[0]:.3f}–{low_high[1]:.3f})'


def signed(value, low_high):
    return f'{value:+.3f} ({low_high[0]:+.3f} to {low_high[1]:+.3f})'


def table(results):
    """Markdown: AUC of each finding and their mean, and the mean's differences, with 95 % intervals."""
    lines = []
    for share in sorted({row['missing'] for row in results['auc']}):
        rows = [row for row in results['auc'] if row['missing'] == share]
        single = rows[0]['bestSingle']
        # Its difference from itself, or the same column twice, would say nothing.
        others = [('minusPA', NAMES['PA'])] + ([('minusBestSingle', NAMES[single])] if single != 'PA' else [])
        lines += [f'**{share:.0%} of laterals missing** (best single view: {NAMES[single]})', '',
                  '| network | ' + ' | '.join(results['targets']) + ' | mean | ' + ' | '.join(f'mean − {name}' for _, name in others) + ' |',
                  '| --- |' + ' --- |' * (len(results['targets']) + 1 + len(others))]
        for row in rows:
            cells = [cell(value, limits) for value, limits in zip(row['auc'], row['interval'])]
            cells += ['' if NAMES[row['network']] == name else signed(row[key][-1], row[key + 'Interval'][-1]) for key, name in others]
            lines.append(f"| {NAMES[row['network']]} | " + ' | '.join(cells) + ' |')
        lines.append('')
    lines += ['**Peak of Grad-CAM in the planted finding**, of patients who have it', '',
              '| network | view | finding | peak in mask | of those called present |', '| --- | --- | --- | --- | --- |']
    for row in results['peaks']:
        lines.append(f"| {NAMES[row['network']]} | {row['view']} | {row['target']} | {row['inMask']} of {row['patients']} ({row['inMask'] / row['patients']:.1%}) "
                     f"| {row['calledInMask']} of {row['called']} ({row['calledInMask'] / max(1, row['called']):.1%}) |")
    return '\n'.join(lines) + '\n'


def plot(results, path):
    """One panel a finding and one for the mean: AUC against the share of missing laterals, a line a network."""
    titles = [*results['targets'], 'Mean of the three']
    figure, axes = plt.subplots(1, len(titles), figsize=(3.2 * len(titles), 3.4), sharey=True)
    for k, (title, axis) in enumerate(zip(titles, axes)):
        for i, kind in enumerate(NAMES):
            rows = sorted((row for row in results['auc'] if row['network'] == kind), key=lambda row: row['missing'])
            if not rows:
                continue
            x = [100 * row['missing'] + (i - 3) * 1.2 for row in rows]
            y = [row['auc'][k] for row in rows]
            error = [[row['auc'][k] - row['interval'][k][0] for row in rows], [row['interval'][k][1] - row['auc'][k] for row in rows]]
            axis.errorbar(x, y, error, marker='o', markersize=3, linewidth=1.2, elinewidth=0.7,
                          linestyle='--' if kind in ('PA', 'L') else '-', label=NAMES[kind], color=f'C{i}')
        axis.axhline(0.5, color='0.8', linewidth=0.8, zorder=0)
        axis.set(title=title, xlabel='laterals missing, %', xticks=[100 * share for share in sorted({row['missing'] for row in results['auc']})])
        axis.title.set_fontsize(9)
    axes[0].set_ylabel('AUC, 95 % interval')
    figure.legend(*axes[0].get_legend_handles_labels(), loc='lower center', ncol=7, frameon=False, fontsize=8)
    figure.tight_layout(rect=(0, 0.08, 1, 1))
    plt.rcParams['svg.hashsalt'] = 'fusion'
    figure.savefig(path, metadata={'Date': None})
    plt.close(figure)
