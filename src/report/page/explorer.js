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
    return (low.exact ? 'draws ' : 'draws ≈ ') + format(low.value) + '–' + format(high.value);
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

  openCurveCharts() {
    this.curveCharts = [this.curveChart('chart-nll', 'nll', v => Number(v.toPrecision(3)))];
    if (this.classes)
      this.curveCharts.push(this.curveChart('chart-acc', 'acc'));
  }
}

/* ---- confusion matrix ------------------------------------------------------------------------ */

class Confusion {
  constructor(data) {
    this.data = data;
    this.count = data.class_names.length;
    this.cells = [];
    const table = document.getElementById('confusion-table');
    table.append(this.head());
    const body = table.createTBody();
    data.class_names.forEach((name, i) => body.append(this.row(name, i)));
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

  /* Shades: errors by the root of their share among the row's, so that few are seen, too. */
  follow(index) {
    const counts = this.data.confusion[index], n = this.count;
    let errors = 0;
    for (let i = 0; i < n; i++) {
      let rows = 0;
      for (let j = 0; j < n; j++) rows += counts[i * n + j];
      for (let j = 0; j < n; j++) {
        const count = counts[i * n + j], cell = this.cells[i * n + j];
        const share = rows > 0 ? count / rows : 0;
        cell.textContent = count === 0 ? '·' : count;
        cell.style.setProperty('--share', i === j ? share * share * 0.6 : Math.min(1, Math.sqrt(share) * 2.2));
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
  return index => {
    here.data = reliabilityPoints(data.bins[index]);
    chart.update('none');
  };
}

/* ---- first-layer weights ----------------------------------------------------------------------- */

/* Blue below zero, the ground at zero, orange above. */
class WeightImages {
  constructor(data, generator) {
    this.canvas = document.getElementById('weights-canvas');
    this.image = data.image;
    this.generator = generator;
    this.grid = data.weights; /* precomputed: {lambda, units}, bytes and scales as arrays */
    if (this.grid) {
      this.code = new Int8Array(bytesOf('weights').buffer);
      this.scale = floatsOf('weights-scale');
    }
    this.units = this.grid ? this.grid.units : generator.layers[0].outputs;
    this.shown = Math.min(16, this.units);
    const more = document.getElementById('weights-all');
    more.hidden = this.units <= this.shown;
    more.textContent = `all ${this.units} units`;
    more.addEventListener('click', () => {
      const all = this.shown < this.units;
      this.shown = all ? this.units : Math.min(16, this.units);
      more.textContent = all ? 'first 16 units' : `all ${this.units} units`;
      more.setAttribute('aria-expanded', all);
      this.draw();
    });
  }

  /* Weights of all shown units at the slider's λ. */
  values(explorer) {
    const pixels = this.image.rows * this.image.columns;
    if (!this.grid) return this.generator.theta.subarray(0, this.shown * pixels);
    const at = nearestOf(this.grid.lambda, explorer.lambda);
    const values = new Float32Array(this.shown * pixels);
    for (let i = 0; i < values.length; i++) {
      const unit = Math.floor(i / pixels);
      values[i] = this.scale[at * this.units + unit] * this.code[at * this.units * pixels + i];
    }
    return values;
  }

  follow(explorer) {
    this.explorer = explorer;
    this.draw();
  }

  draw() {
    const {rows, columns} = this.image, gap = 2, narrow = this.canvas.clientWidth < 480;
    const across = (this.shown > 16 ? 16 : 8) / (narrow ? 2 : 1);
    const wide = Math.min(across, this.shown), high = Math.ceil(this.shown / across);
    const width = wide * (columns + gap) - gap, height = high * (rows + gap) - gap;
    const values = this.values(this.explorer), pixels = rows * columns;
    let most = 0;
    for (const v of values) most = Math.max(most, Math.abs(v));
    this.canvas.width = width;
    this.canvas.height = height;
    const context = this.canvas.getContext('2d'), image = context.createImageData(width, height);
    const ground = rgb('panel'), below = rgb('blue'), above = rgb('orange');
    for (let k = 0; k < this.shown; k++)
      for (let p = 0; p < pixels; p++) {
        const v = most > 0 ? values[k * pixels + p] / most : 0, hue = v < 0 ? below : above;
        const x = (k % across) * (columns + gap) + p % columns;
        const y = Math.floor(k / across) * (rows + gap) + Math.floor(p / columns);
        const t = Math.sqrt(Math.abs(v)), at = 4 * (y * width + x);
        for (let c = 0; c < 3; c++) image.data[at + c] = ground[c] + t * (hue[c] - ground[c]);
        image.data[at + 3] = 255;
      }
    context.putImageData(image, 0, 0);
    document.getElementById('weights-scale-text').textContent = most.toPrecision(2);
  }
}

function rgb(name) {
  const hex = colour(name);
  return [1, 3, 5].map(i => parseInt(hex.slice(i, i + 2), 16));
}

function nearestOf(lambda, wanted) {
  let best = 0;
  lambda.forEach((x, i) => {
    if (Math.abs(Math.log(x / wanted)) < Math.abs(Math.log(lambda[best] / wanted))) best = i;
  });
  return best;
}
