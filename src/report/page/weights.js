/* First-layer weights as images: blue below zero, the ground at zero, orange above. */
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
    document.getElementById('weights-csv').addEventListener('click', () =>
      offer('weights.csv', this.csv()));
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

  /* One unit a row, at the slider's λ. */
  csv() {
    const pixels = this.image.rows * this.image.columns, values = this.values(this.explorer);
    const rows = [['lambda', 'unit', ...Array.from({length: pixels}, (_, p) => `w${p}`)]];
    for (let k = 0; k < this.shown; k++)
      rows.push([this.explorer.lambda, k, ...values.subarray(k * pixels, (k + 1) * pixels)]);
    return csvText(rows);
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
