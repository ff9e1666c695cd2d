'use strict';
/* The generator, decoded from the page and evaluated here: θ(ω, λ) = Σ_k T_k(u) Θ_k + Σ_jb ℓ_j(u)
 * (ω_b − 1) O_jb, u the normalised log λ. */

/* ---- arrays of the page ------------------------------------------------------------------------ */

function arrayText(name) {
  const element = document.getElementById('array-' + name);
  return element === null ? null : element.textContent;
}

function bytesOf(name) {
  const text = atob(arrayText(name));
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

function int16Of(name) {
  const bytes = bytesOf(name), values = new Int16Array(bytes.length / 2);
  for (let i = 0; i < values.length; i++) values[i] = bytes[2 * i] | bytes[2 * i + 1] << 8;
  return values;
}

function floatsOf(name) {
  const bytes = bytesOf(name), view = new DataView(bytes.buffer);
  const values = new Float32Array(bytes.length / 4);
  for (let i = 0; i < values.length; i++) values[i] = view.getFloat32(4 * i, true);
  return values;
}

/* Two base64 digits a value. */
function int12Of(name) {
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  const code = new Uint8Array(128), text = arrayText(name);
  for (let i = 0; i < 64; i++) code[digits.charCodeAt(i)] = i;
  const values = new Int16Array(text.length / 2);
  for (let i = 0; i < values.length; i++)
    values[i] = (code[text.charCodeAt(2 * i)] << 6 | code[text.charCodeAt(2 * i + 1)]) - 2048;
  return values;
}

/* ---- the network ------------------------------------------------------------------------------- */

/* Where the tensors lie in θ: one entry a layer. */
function layersOf(sizes) {
  const layers = [];
  let at = 0;
  for (let l = 0; l + 1 < sizes.length; l++) {
    const inputs = sizes[l], outputs = sizes[l + 1];
    layers.push({inputs, outputs, weight: at, bias: at + inputs * outputs});
    at += (inputs + 1) * outputs;
  }
  return layers;
}

/* values (features, count) = scale·code; a scale for every unit of a weight, one for every bias. */
function dequantise(code, scale, features, layers, begin, count) {
  const values = new Float32Array(features * count);
  let row = 0;
  const fill = (from, width) => {
    for (let i = 0; i < width; i++) values[from + i] = scale[row] * code[from + i];
    row++;
  };
  for (let k = 0; k < features; k++)
    for (const layer of layers) {
      const at = k * count - begin;
      for (let o = 0; o < layer.outputs; o++) fill(at + layer.weight + o * layer.inputs, layer.inputs);
      fill(at + layer.bias, layer.outputs);
    }
  return values;
}

function activate(value, act) {
  return act === 'tanh' ? Math.tanh(value) : Math.max(value, 0);
}

/* y = θ_l x, theta beginning `begin` parameters into θ. */
function linear(theta, begin, layer, x, y) {
  for (let o = 0; o < layer.outputs; o++) {
    const row = layer.weight - begin + o * layer.inputs;
    let sum = theta[layer.bias - begin + o];
    for (let i = 0; i < layer.inputs; i++) sum += theta[row + i] * x[i];
    y[o] = sum;
  }
}

function softmax(logits) {
  let most = -Infinity, sum = 0;
  for (const z of logits) most = Math.max(most, z);
  const p = Array.from(logits, z => Math.exp(z - most));
  for (const v of p) sum += v;
  return p.map(v => v / sum);
}

/* Σ_k weight_k rows_k of a (features, count) array, from feature `first` on with a stride. */
function combine(values, count, weights, first, stride, out) {
  out.fill(0);
  weights.forEach((weight, k) => {
    const at = (first + k * stride) * count;
    for (let i = 0; i < count; i++) out[i] += weight * values[at + i];
  });
  return out;
}

/* ---- the generator ----------------------------------------------------------------------------- */

class Generator {
  constructor(meta) {
    this.meta = meta;
    this.layers = layersOf(meta.sizes);
    const last = this.layers[this.layers.length - 1];
    this.params = last.bias + last.outputs;
    this.begin = this.layers[0].bias + this.layers[0].outputs; /* of the layers behind the first */
    this.base = dequantise(int16Of('base'), floatsOf('base-scale'), meta.terms, this.layers, 0,
                           this.params);
    this.theta = new Float32Array(this.params);
    if (meta.answers > 0) this.openAnswers();
  }

  /* What ω adds: to the layers behind the first, and to the hidden units of the gallery's rows. */
  openAnswers() {
    const meta = this.meta, units = this.layers[0].outputs, rows = meta.rows;
    const behind = this.params - this.begin;
    this.upper = dequantise(int12Of('upper'), floatsOf('upper-scale'), meta.answers,
                            this.layers.slice(1), this.begin, behind);
    const code = int12Of('hidden'), scale = floatsOf('hidden-scale');
    this.hidden = new Float32Array(rows * meta.answers * units);
    for (let i = 0; i < this.hidden.length; i++)
      this.hidden[i] = scale[Math.floor(i / units)] * code[i];
    this.omega = floatsOf('omega'); /* (draws, K) of the features' ω − 1 */
  }

  /* u, the normalised log(λ + λ₀). */
  position(lambda) {
    const at = x => Math.log(x + this.meta.knee);
    const low = at(this.meta.low), high = at(this.meta.high);
    const u = 2 * (at(lambda) - low) / (high - low) - 1;
    return Math.fround(Math.min(1, Math.max(-1, u)));
  }

  /* 1, T_1(u), …: Chebyshev polynomials or monomials. */
  terms(u) {
    const c = [1, u];
    for (let k = 2; k < this.meta.terms; k++)
      c.push(this.meta.basis === 'chebyshev' ? 2 * u * c[k - 1] - c[k - 2] : u * c[k - 1]);
    return c.slice(0, this.meta.terms);
  }

  /* ℓ_j(u) at the nodes −cos(πj/(N−1)); without nodes ω acts alike everywhere. */
  shares(u) {
    const count = this.meta.nodes;
    if (count === 0) return [1];
    const node = Array.from({length: count},
                            (_, j) => count > 1 ? -Math.cos(Math.PI * j / (count - 1)) : 0);
    return node.map((own, j) => node.reduce(
        (product, other, i) => i === j ? product : product * (u - other) / (own - other), 1));
  }

  /* Moves to λ: all that follows is there. */
  move(lambda) {
    const u = this.position(lambda);
    combine(this.base, this.params, this.terms(u), 0, 1, this.theta);
    if (this.meta.answers === 0) return;
    const blocks = this.meta.blocks, behind = this.params - this.begin;
    this.share = this.shares(u);
    this.above = new Float32Array(blocks * behind);
    for (let b = 0; b < blocks; b++)
      combine(this.upper, behind, this.share, b, blocks,
              this.above.subarray(b * behind, (b + 1) * behind));
    this.drawn = null;
  }

  /* Logits of one row at ω = 1. */
  logits(x) {
    let y = new Float32Array(this.layers[0].outputs);
    linear(this.theta, 0, this.layers[0], x, y);
    return this.onwards(y, this.theta, 0);
  }

  /* From the first layer's units, before their activation, to the logits. */
  onwards(z, theta, begin) {
    let x = z;
    for (const layer of this.layers.slice(1)) {
      const y = new Float32Array(layer.outputs);
      for (let i = 0; i < x.length; i++) x[i] = activate(x[i], this.meta.act);
      linear(theta, begin, layer, x, y);
      x = y;
    }
    return x;
  }

  /* (draws, behind): the layers behind the first at every draw of ω. */
  drawUppers() {
    const behind = this.params - this.begin, blocks = this.meta.blocks;
    this.drawn = [];
    for (let d = 0; d < this.meta.draws; d++) {
      const theta = this.theta.slice(this.begin);
      for (let b = 0; b < blocks; b++) {
        const weight = this.omega[d * blocks + b], at = b * behind;
        for (let i = 0; i < behind; i++) theta[i] += weight * this.above[at + i];
      }
      this.drawn.push(theta);
    }
  }

  /* Logits of gallery row `row` with inputs x at every draw. */
  drawLogits(row, x) {
    const units = this.layers[0].outputs, blocks = this.meta.blocks;
    const plain = new Float32Array(units), added = new Float32Array(blocks * units);
    if (this.drawn === null) this.drawUppers();
    linear(this.theta, 0, this.layers[0], x, plain);
    for (let b = 0; b < blocks; b++)
      combine(this.hidden.subarray(row * this.meta.answers * units), units, this.share, b, blocks,
              added.subarray(b * units, (b + 1) * units));
    return this.drawn.map((theta, d) => {
      const z = plain.slice();
      for (let b = 0; b < blocks; b++) {
        const weight = this.omega[d * blocks + b];
        for (let i = 0; i < units; i++) z[i] += weight * added[b * units + i];
      }
      return this.onwards(z, theta, this.begin);
    });
  }
}
