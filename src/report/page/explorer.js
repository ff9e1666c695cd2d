/* The slider along λ: readouts, curves, confusion matrix, calibration, first-layer weights. */

class Explorer {
  constructor(data) {
    this.data = data;
    this.slider = document.getElementById('lambda');
    this.index = data.chosen;
    this.followers = [];
    this.generator = data.generator ? new Generator(data.generator) : null;
    this.classes = data.acc !== undefined;
    this.openSlider();
    this.openCurves();
    this.openCurveCharts();
  }

  get lambda() { return this.data.lambda[this.index]; }

  openSlider() {
    const last = this.data.lambda.length - 1;
    this.slider.max = last;
    this.slider.value = this.index;
    this.slider.addEventListener('input', () => this.move(Number(this.slider.value)));
    document.getElementById('tick-low').textContent = lambdaText(this.data.lambda[0]);
    document.getElementById('tick-high').textContent = lambdaText(this.data.lambda[last]);
    this.button('to-chosen', this.data.chosen);
    this.button('to-one-se', this.data.one_se);
  }

  button(id, index) {
    const element = document.getElementById(id);
    element.hidden = !Number.isInteger(index);
    element.addEventListener('click', () => this.move(index));
  }

  /* Moves to a position of the slider: everything follows. */
  move(index) {
    this.index = index;
    this.slider.value = index;
    if (this.generator) this.generator.move(this.lambda);
    this.readOut();
    for (const chart of this.curveCharts) chart.draw();
    for (const follow of this.followers) follow(this);
  }

  /* ---- numbers ------------------------------------------------------------------------------- */

  /* Between the two nearest values of an array along the curve's λ, in log λ. */
  along(lambda, values) {
    const x = Math.log(this.lambda);
    let i = 0;
    while (i + 2 < lambda.length && Math.log(lambda[i + 1]) <= x + 1e-9) i++;
    const a = Math.log(lambda[i]), b = Math.log(lambda[i + 1]);
    const t = Math.min(1, Math.max(0, (x - a) / (b - a)));
    const on = t < 1e-6 ? 0 : t > 1 - 1e-6 ? 1 : t;
    return {value: values[i] + on * (values[i + 1] - values[i]), exact: on === 0 || on === 1};
  }

  bandText(key, format) {
    const curve = this.data.curve;
    if (!curve || !curve[key + '_low']) return '';
    const low = this.along(curve.lambda, curve[key + '_low']);
    const high = this.along(curve.lambda, curve[key + '_high']);
    return (low.exact ? '' : '≈ ') + format(low.value) + '–' + format(high.value);
  }

  readOut() {
    const data = this.data, i = this.index;
    const put = (id, text) => { document.getElementById(id).textContent = text; };
    put('lambda-value', lambdaText(this.lambda));
    put('read-nll', data.nll[i].toFixed(4));
    put('band-nll', this.bandText('nll', v => v.toFixed(4)));
    const accuracy = this.classes ? percent(data.acc[i]) : '';
    put('read-acc', accuracy);
    put('band-acc', this.classes ? this.bandText('acc', v => (100 * v).toFixed(2)) : '');
    put('read-ece', this.classes && data.ece ? data.ece[i].toFixed(4) : '');
    this.slider.setAttribute('aria-valuetext', `λ ${this.lambda.toExponential(2)}, loss ` +
      data.nll[i].toFixed(4) + (this.classes ? `, accuracy ${accuracy}` : ''));
    document.getElementById('to-chosen').setAttribute('aria-pressed', i === data.chosen);
    document.getElementById('to-one-se').setAttribute('aria-pressed', i === data.one_se);
  }

  /* ---- curves -------------------------------------------------------------------------------- */

  points(lambda, values) {
    return lambda.map((x, i) => ({x, y: values[i]})).filter(p => Number.isFinite(p.y));
  }

  marks(values) {
    const here = {x: this.lambda, y: values[this.index], colour: colour('ink'), width: 1.5};
    const chosen = {x: this.data.lambda[this.data.chosen], colour: colour('quiet'), width: 1,
                    dash: [4, 3]};
    return [chosen, here];
  }

  curveChart(id, key, format) {
    const data = this.data, sets = [];
    const low = data.lambda[0], high = data.lambda[data.lambda.length - 1];
    if (data.curve && data.curve[key + '_low'])
      sets.push(...bandSets(this.points(data.curve.lambda, data.curve[key + '_low']),
                            this.points(data.curve.lambda, data.curve[key + '_high']), 'blue'));
    if (data.refits)
      sets.push(dotSet(this.points(data.refits.lambda, data.refits[key]), 'orange'));
    sets.push(lineSet(this.points(data.lambda, data[key]), 'blue'));
    const chart = openChart(id, {
      data: {datasets: sets},
      options: {
        scales: {
          x: lambdaAxis(low, high),
          y: (key === 'nll' ? lossAxis : shareAxis)(sets.flatMap(s => s.data.map(p => p.y)), format),
        },
        plugins: {
          cursor: {marks: () => this.marks(data[key])},
          tooltip: {filter: item => item.dataset.borderWidth !== 0, callbacks: {
            title: items => items.length ? 'λ = ' + lambdaText(items[0].parsed.x) : '',
            label: item => (item.dataset.type === 'scatter' ? 'refit ' : 'generator ') +
                           (key === 'acc' ? percent(item.parsed.y) : item.parsed.y.toFixed(4))}},
        },
        onClick: event => this.move(this.nearest(chart.scales.x.getValueForPixel(event.x))),
      },
    });
    return chart;
  }

  nearest(lambda) {
    let best = 0;
    const away = i => Math.abs(Math.log(this.data.lambda[i] / lambda));
    for (let i = 1; i < this.data.lambda.length; i++) if (away(i) < away(best)) best = i;
    return best;
  }

  openCurves() {
    const show = (id, wanted) => { document.getElementById(id).hidden = !wanted; };
    show('figure-acc', this.classes);
    show('item-acc', this.classes);
    show('item-ece', this.classes && this.data.ece !== undefined);
    for (const key of document.querySelectorAll('[data-key=refits]')) key.hidden = !this.data.refits;
    const band = this.data.curve && this.data.curve.nll_low;
    for (const key of document.querySelectorAll('[data-key=band]')) key.hidden = !band;
  }

  /* All positions of the slider. */
  csv() {
    const {lambda, nll, acc, ece} = this.data;
    return csvText([['lambda', 'val_nll', 'val_acc', 'val_ece'],
                    ...lambda.map((x, i) => [x, nll[i], acc && acc[i], ece && ece[i]])]);
  }

  openCurveCharts() {
    document.getElementById('curve-csv').addEventListener('click', () =>
      offer('curve_fine.csv', this.csv()));
    this.curveCharts = [this.curveChart('chart-nll', 'nll', v => Number(v.toPrecision(3)))];
    if (this.classes)
      this.curveCharts.push(this.curveChart('chart-acc', 'acc'));
  }
}

/* ---- confusion matrix ------------------------------------------------------------------------ */

/* Of a share of a row: errors by its root, so that few are seen, too. */
function shadeOf(share, right) {
  return right ? share * share * 0.6 : Math.min(1, Math.sqrt(share) * 2.2);
}

class Confusion {
  constructor(data) {
    this.data = data;
    this.count = data.class_names.length;
    this.cells = [];
    const table = document.getElementById('confusion-table');
    table.append(this.head());
    const body = table.createTBody();
    data.class_names.forEach((name, i) => body.append(this.row(name, i)));
    document.getElementById('confusion-csv').addEventListener('click', () =>
      offer('confusion.csv', this.csv(this.index)));
    document.getElementById('confusion-svg').addEventListener('click', () =>
      offer('confusion.svg', this.svg(this.index)));
  }

  csv(index) {
    const names = this.data.class_names, counts = this.data.confusion[index], n = this.count;
    return csvText([['true', ...names],
                    ...names.map((name, i) => [name, ...counts.slice(i * n, (i + 1) * n)])]);
  }

  /* The matrix in the light theme's colours, in squares of 40. */
  svg(index) {
    const names = this.data.class_names, counts = this.data.confusion[index], n = this.count;
    const safe = text => String(text).replace(/[<>&"']/g, c => `&#${c.charCodeAt(0)};`);
    const text = (x, y, t) => `<text x="${x}" y="${y}" text-anchor="middle">${safe(t)}</text>`;
    const parts = [];
    names.forEach((name, i) => {
      const rows = counts.slice(i * n, (i + 1) * n).reduce((a, b) => a + b, 0);
      parts.push(text(60 + 40 * i, 24, name), text(20, 60 + 40 * i, name));
      for (let j = 0; j < n; j++) {
        const hue = i === j ? '#0072b2' : '#d55e00', share = rows > 0 ? counts[i * n + j] / rows : 0;
        parts.push(`<rect x="${41 + 40 * j}" y="${36 + 40 * i}" width="38" height="38" rx="4" ` +
          `fill="${hue}" fill-opacity="${(0.04 + shadeOf(share, i === j)).toFixed(3)}"/>`,
                   text(60 + 40 * j, 60 + 40 * i, counts[i * n + j]));
      }
    });
    const size = 40 * n + 44;
    return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}" ` +
      `font-family="sans-serif" font-size="13"><rect width="${size}" height="${size}" fill="#fff"/>` +
      parts.join('') + '</svg>\n';
  }

  cell(kind, text, scope) {
    const cell = document.createElement(kind);
    cell.textContent = text;
    if (scope) cell.scope = scope;
    return cell;
  }

  head() {
    const head = document.createElement('thead'), row = document.createElement('tr');
    row.append(this.cell('td', ''), ...this.data.class_names.map(n => this.cell('th', n, 'col')));
    head.append(row);
    return head;
  }

  row(name, i) {
    const row = document.createElement('tr');
    row.append(this.cell('th', name, 'row'));
    for (let j = 0; j < this.count; j++) {
      const cell = this.cell('td', '');
      cell.className = i === j ? 'right' : 'wrong';
      this.cells.push(cell);
      row.append(cell);
    }
    return row;
  }

  follow(index) {
    this.index = index;
    const counts = this.data.confusion[index], n = this.count;
    let errors = 0;
    for (let i = 0; i < n; i++) {
      let rows = 0;
      for (let j = 0; j < n; j++) rows += counts[i * n + j];
      for (let j = 0; j < n; j++) {
        const count = counts[i * n + j], cell = this.cells[i * n + j];
        const share = rows > 0 ? count / rows : 0;
        cell.textContent = count === 0 ? '·' : count;
        cell.style.setProperty('--share', shadeOf(share, i === j));
        if (i !== j) errors += count;
      }
    }
    document.getElementById('confusion-errors').textContent = errors.toLocaleString('en');
  }
}

/* ---- calibration ------------------------------------------------------------------------------- */

/* Bins (counts, sums of confidences, correct rows) → points of those that hold a row. */
function reliabilityPoints(bins) {
  const n = bins.length / 3, points = [];
  for (let b = 0; b < n; b++)
    if (bins[b] > 0)
      points.push({x: bins[n + b] / bins[b], y: bins[2 * n + b] / bins[b], rows: bins[b]});
  return points;
}

function openReliability(explorer) {
  const data = explorer.data;
  const sized = {pointRadius: c => c.raw ? Math.min(9, 2.5 + Math.log10(c.raw.rows + 1) * 1.6) : 3};
  const here = dotSet([], 'blue', Object.assign({label: 'network'}, sized));
  const sets = [here];
  if (data.posterior_bins)
    sets.unshift(dotSet(reliabilityPoints(data.posterior_bins), 'orange',
                        Object.assign({label: 'posterior', pointStyle: 'rectRot'}, sized)));
  sets.push(lineSet([{x: 0, y: 0}, {x: 1, y: 1}], 'quiet', {borderWidth: 1, borderDash: [4, 3],
                                                            pointHitRadius: 0}));
  const axis = text => Object.assign(valueAxis(text, v => percent(v, 0)), {type: 'linear', min: 0, max: 1});
  const chart = openChart('chart-reliability', {
    data: {datasets: sets},
    options: {
      interaction: {mode: 'nearest', intersect: true},
      scales: {x: axis('confidence'), y: axis('accuracy')},
      plugins: {tooltip: {callbacks: {label: item => `${item.raw.rows} rows: confidence ` +
        `${percent(item.parsed.x, 1)}, accuracy ${percent(item.parsed.y, 1)}`}}},
    },
  });
  document.querySelector('[data-key=posterior]').hidden = !data.posterior_bins;
  document.getElementById('posterior-rows').textContent = data.rows || '';
  return index => {
    here.data = reliabilityPoints(data.bins[index]);
    chart.update('none');
  };
}

