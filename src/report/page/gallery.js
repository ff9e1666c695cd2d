/* Rows of the data with what the networks make of them: at ω = 1, and over draws of ω. */

class Gallery {
  constructor(explorer) {
    const data = explorer.data;
    this.explorer = explorer;
    this.meta = data.gallery;
    this.image = data.image;
    this.names = data.class_names;
    this.generator = explorer.generator;
    this.inputs = this.openInputs(data);
    if (!this.generator) this.openPredictions();
    this.kind = this.meta.kind[0];
    this.chosen = this.meta.kind.indexOf(this.kind);
    this.list = document.getElementById('gallery-list');
    this.openKinds();
    this.detail = this.openDetail();
    this.fill();
  }

  /* (rows, inputs) as the network sees them. */
  openInputs(data) {
    const meta = this.meta, count = data.inputs;
    const raw = meta.bytes ? bytesOf('rows') : floatsOf('rows');
    this.raw = raw;
    const all = new Float32Array(raw.length);
    for (let i = 0; i < raw.length; i++)
      all[i] = meta.bytes ? Math.fround(Math.fround(meta.scale * raw[i]) + meta.shift) : raw[i];
    return meta.row.map((_, i) => all.subarray(i * count, (i + 1) * count));
  }

  /* Probabilities that the program computed at some λ. */
  openPredictions() {
    this.plain = floatsOf('plain');
    if (this.meta.draws > 0) this.drawn = bytesOf('draws');
    if (this.meta.draws > 0) this.mean = floatsOf('mean');
  }

  /* {plain, mean, draws: [[p_c …] …]} of row i at the slider's λ; without draws the last are null. */
  predict(i) {
    if (this.generator) {
      const x = this.inputs[i], plain = softmax(this.generator.logits(x));
      if (this.meta.draws === 0) return {plain, mean: null, draws: null};
      const draws = this.generator.drawLogits(i, x).map(softmax);
      const mean = plain.map((_, c) => draws.reduce((sum, p) => sum + p[c], 0) / draws.length);
      return {plain, mean, draws};
    }
    const classes = this.names.length, rows = this.meta.row.length, meta = this.meta;
    const at = nearestOf(meta.lambda, this.explorer.lambda);
    const from = (at * rows + i) * classes;
    const plain = Array.from(this.plain.subarray(from, from + classes));
    if (meta.draws === 0) return {plain, mean: null, draws: null};
    const draws = Array.from({length: meta.draws}, (_, d) => {
      const begin = ((at * meta.draws + d) * rows + i) * classes;
      return Array.from(this.drawn.subarray(begin, begin + classes), v => v / 255);
    });
    return {plain, mean: Array.from(this.mean.subarray(from, from + classes)), draws};
  }

  /* ---- controls ------------------------------------------------------------------------------ */

  openKinds() {
    const box = document.getElementById('gallery-kinds');
    for (const kind of [...new Set(this.meta.kind)]) {
      const label = document.createElement('label'), input = document.createElement('input');
      input.type = 'radio';
      input.name = 'kind';
      input.value = kind;
      input.checked = kind === this.kind;
      input.addEventListener('change', () => {
        this.kind = kind;
        this.chosen = this.meta.kind.indexOf(kind);
        this.fill();
        this.follow();
      });
      label.append(input, document.createTextNode(kind));
      box.append(label);
    }
  }

  /* Cards of the rows of one kind. */
  fill() {
    this.cards = [];
    this.list.replaceChildren();
    this.meta.kind.forEach((kind, i) => {
      if (kind === this.kind) this.list.append(this.card(i));
    });
  }

  card(i) {
    const item = document.createElement('li'), button = document.createElement('button');
    const words = document.createElement('span'), bars = document.createElement('canvas');
    button.type = 'button';
    button.className = 'card';
    words.className = 'words';
    bars.className = 'bars';
    if (this.image) button.append(this.picture(i));
    button.append(words, bars);
    button.addEventListener('click', () => {
      this.chosen = i;
      this.follow();
    });
    item.append(button);
    this.cards.push({i, button, words, bars});
    return item;
  }

  /* The image, dark on light or light on dark as the theme is. */
  picture(i) {
    const {rows, columns} = this.image, canvas = document.createElement('canvas');
    canvas.className = 'picture';
    canvas.width = columns;
    canvas.height = rows;
    const context = canvas.getContext('2d'), image = context.createImageData(columns, rows);
    let low = Infinity, high = -Infinity;
    const at = i * rows * columns, values = this.raw.subarray(at, at + rows * columns);
    for (const v of values) { low = Math.min(low, v); high = Math.max(high, v); }
    if (this.meta.bytes) { low = 0; high = 255; }
    values.forEach((v, p) => {
      image.data[4 * p + 3] = Math.round(255 * (v - low) / (high - low || 1));
    });
    const hue = rgb('ink');
    for (let p = 0; p < rows * columns; p++)
      for (let c = 0; c < 3; c++) image.data[4 * p + c] = hue[c];
    context.putImageData(image, 0, 0);
    return canvas;
  }

  /* ---- following the slider -------------------------------------------------------------------- */

  follow() {
    for (const card of this.cards) {
      const p = this.predict(card.i);
      this.label(card, p);
      drawBars(card.bars, p, this.meta.label[card.i]);
      if (card.i === this.chosen) this.show(card.i, p);
    }
    const text = document.getElementById('gallery-at');
    if (this.generator) text.textContent = '';
    else {
      const at = nearestOf(this.meta.lambda, this.explorer.lambda);
      text.textContent = `Predictions at λ = ${lambdaText(this.meta.lambda[at])}, the nearest that was computed.`;
    }
  }

  label(card, p) {
    const probability = p.mean || p.plain, best = argmax(probability);
    const truth = this.meta.label[card.i], name = this.names[truth];
    const right = best === truth;
    card.words.innerHTML = '';
    const guess = document.createElement('b');
    guess.textContent = this.names[best];
    card.words.append(guess, ` ${percent(probability[best], 1)}`);
    const note = document.createElement('span');
    note.className = right ? 'note quiet' : 'note bad';
    note.textContent = right ? '✓ right' : `✗ is ${name}`;
    card.words.append(note);
    card.button.setAttribute('aria-pressed', card.i === this.chosen);
    card.button.setAttribute('aria-label', `Row ${this.meta.row[card.i]}, class ${name}: predicted ` +
      `${this.names[best]} with ${percent(probability[best], 1)}`);
  }

  /* ---- one row at large -------------------------------------------------------------------------- */

  openDetail() {
    const names = this.names, truth = () => this.meta.label[this.chosen];
    this.dots = {type: 'scatter', data: [], borderWidth: 0, borderColor: 'transparent',
                 pointRadius: 3, label: 'draw'};
    this.means = dotSet([], 'ink', {pointStyle: 'line', rotation: 0, borderWidth: 3, pointRadius: 9,
                                    borderColor: c => colour(c.dataIndex === truth() ? 'orange' : 'ink'),
                                    label: 'mean'});
    return openChart('chart-detail', {
      data: {datasets: [this.dots, this.means]},
      options: {
        interaction: {mode: 'nearest', intersect: true},
        scales: {
          x: {type: 'linear', min: -0.5, max: names.length - 0.5, offset: false,
              grid: {display: false, borderColor: () => colour('axis')},
              afterBuildTicks: axis => { axis.ticks = names.map((_, value) => ({value})); },
              ticks: {color: () => colour('quiet'), autoSkip: names.length > 20, maxRotation: 60,
                      callback: v => names[v] === undefined ? '' : names[v]}},
          y: Object.assign(valueAxis('probability', v => percent(v, 0)), {min: 0, max: 1}),
        },
        plugins: {tooltip: {callbacks: {label: item =>
          `${names[Math.round(item.parsed.x)]}: ${percent(item.parsed.y, 1)} (${item.dataset.label})`}}},
      },
    });
  }

  show(i, p) {
    const probability = p.mean || p.plain, points = [];
    (p.draws || []).forEach((draw, d) => draw.forEach((y, c) => {
      points.push({x: c + 0.5 * ((d * 0.618034) % 1 - 0.5), y});
    }));
    this.dots.data = points;
    this.dots.backgroundColor = faded('blue', 0.3); /* one for all: hundreds follow the slider */
    this.means.data = probability.map((y, x) => ({x, y}));
    this.detail.update('none');
    const put = (id, text) => { document.getElementById(id).textContent = text; };
    put('detail-title', `Row ${this.meta.row[i].toLocaleString('en')} of the ${this.meta.rows}: ` +
      `class ${this.names[this.meta.label[i]]}`);
    put('detail-text', detailText(p, this.names));
  }
}

function argmax(values) {
  return values.reduce((best, v, i) => v > values[best] ? i : best, 0);
}

function entropy(p) {
  return -p.reduce((sum, v) => sum + (v > 0 ? v * Math.log(v) : 0), 0);
}

/* How many draws say what, and how far they disagree. */
function detailText(p, names) {
  const best = argmax(p.plain);
  const network = `ω = 1: ${names[best]} with ${percent(p.plain[best], 1)}.`;
  if (!p.draws) return network;
  const votes = new Map();
  for (const draw of p.draws) votes.set(argmax(draw), (votes.get(argmax(draw)) || 0) + 1);
  const said = [...votes].sort((a, b) => b[1] - a[1]).map(([c, n]) => `${n} say ${names[c]}`);
  const total = entropy(p.mean);
  const each = p.draws.reduce((sum, draw) => sum + entropy(draw), 0) / p.draws.length;
  return `${network} Of ${p.draws.length} draws ${said.join(', ')}. Entropy ${total.toFixed(3)} nats, ` +
    `of which ${Math.max(0, total - each).toFixed(3)} is disagreement between draws.`;
}

/* The share q of sorted values. */
function quantile(sorted, q) {
  const at = q * (sorted.length - 1), low = Math.floor(at);
  return sorted[low] + (at - low) * ((sorted[low + 1] ?? sorted[low]) - sorted[low]);
}

/* A bar for every class, whiskers from 5 to 95 % of the draws; the true class is orange. */
function drawBars(canvas, p, truth) {
  const scale = Math.max(1, window.devicePixelRatio || 1), width = 96, height = 40;
  canvas.width = width * scale;
  canvas.height = height * scale;
  const context = canvas.getContext('2d'), probability = p.mean || p.plain;
  const step = width / probability.length, wide = Math.max(1, step - 2), full = height - 4;
  context.scale(scale, scale);
  context.fillStyle = colour('line');
  context.fillRect(0, height - 1, width, 1);
  probability.forEach((v, c) => {
    const x = c * step + (step - wide) / 2, top = height - 1 - full * v;
    context.fillStyle = colour(c === truth ? 'orange' : 'blue');
    context.fillRect(x, top, wide, Math.max(0.75, full * v));
    if (!p.draws) return;
    const sorted = p.draws.map(draw => draw[c]).sort((a, b) => a - b);
    const low = quantile(sorted, 0.05), high = quantile(sorted, 0.95);
    if (high - low < 0.02) return;
    context.fillStyle = colour('ink');
    context.fillRect(x + wide / 2 - 0.5, height - 1 - full * high, 1, full * (high - low));
  });
}
