/* Charts in the page's colours, by Chart.js. */

const charts = [];

/* The theme's colours, read once: asking the document in the middle of a change lays it out anew. */
const palette = {};

function readPalette() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ['ground', 'panel', 'ink', 'quiet', 'line', 'axis', 'blue', 'orange'])
    palette[name] = style.getPropertyValue('--' + name).trim();
}

function colour(name) {
  return palette[name];
}

/* The same with an opacity 0..1. */
function faded(name, opacity) {
  const hex = colour(name);
  return hex + Math.round(255 * opacity).toString(16).padStart(2, '0');
}

/* "10⁻⁵" */
function power(exponent) {
  const raised = '⁰¹²³⁴⁵⁶⁷⁸⁹';
  return '10' + (exponent < 0 ? '⁻' : '') + [...String(Math.abs(exponent))].map(d => raised[+d]).join('');
}

/* "2.98 × 10⁻⁴" */
function lambdaText(lambda) {
  const exponent = Math.floor(Math.log10(lambda) + 1e-12);
  if (exponent > -3 && exponent < 4) return String(Number(lambda.toPrecision(3)));
  return (lambda / 10 ** exponent).toFixed(2) + ' × ' + power(exponent);
}

function percent(share, digits = 2) {
  return (100 * share).toFixed(digits) + ' %';
}

function isPower(value) {
  return Math.abs(Math.log10(value) - Math.round(Math.log10(value))) < 1e-9;
}

/* Axis along λ: powers of ten. */
function lambdaAxis(low, high) {
  return {
    type: 'logarithmic', min: low, max: high,
    title: {display: true, text: 'penalty λ', color: () => colour('quiet')},
    grid: {color: c => c.tick && isPower(c.tick.value) ? colour('line') : 'transparent',
           borderColor: () => colour('axis'), tickColor: 'transparent'},
    ticks: {color: () => colour('quiet'), maxRotation: 0, autoSkip: false,
            callback: value => isPower(value) ? power(Math.round(Math.log10(value))) : ''},
  };
}

function valueAxis(text, format) {
  return {
    title: {display: text !== '', text, color: () => colour('quiet')},
    grid: {color: () => colour('line'), borderColor: 'transparent', tickColor: 'transparent'},
    ticks: {color: () => colour('quiet'), maxTicksLimit: 6, callback: format},
  };
}

/* Positive values that span much on a logarithmic axis, others on a linear one, with a little room
 * around; 1, 2 and 5 are named. */
function lossAxis(values, format) {
  const known = values.filter(v => v > 0), low = Math.min(...known), high = Math.max(...known);
  if (known.length < values.length || !(high > 4 * low)) return valueAxis('', format);
  const named = value => [1, 2, 5].includes(Math.round(value / 10 ** Math.floor(Math.log10(value) + 1e-9) * 1e6) / 1e6);
  return {
    type: 'logarithmic', min: low / 1.15, max: high * 1.15,
    grid: {color: c => c.tick && named(c.tick.value) ? colour('line') : 'transparent',
           borderColor: 'transparent', tickColor: 'transparent'},
    ticks: {color: () => colour('quiet'), autoSkip: false,
            callback: value => named(value) ? format(value) : ''},
  };
}

/* Shares, on a linear axis that does not leave 0..1. */
function shareAxis(values) {
  const low = Math.min(...values), high = Math.max(...values);
  const room = Math.max(0.005, 0.05 * (high - low));
  return Object.assign(valueAxis('', v => percent(v, high - low < 0.05 ? 1 : 0)),
                       {suggestedMin: Math.max(0, low - room), suggestedMax: Math.min(1, high + room)});
}

/* Vertical lines: the slider's position, the chosen λ. */
const cursor = {
  id: 'cursor',
  afterDatasetsDraw(chart, _, options) {
    if (!options.marks) return;
    const {ctx, chartArea: area, scales: {x, y}} = chart;
    for (const mark of options.marks()) {
      const at = x.getPixelForValue(mark.x);
      ctx.save();
      ctx.strokeStyle = mark.colour;
      ctx.lineWidth = mark.width;
      ctx.setLineDash(mark.dash || []);
      ctx.beginPath();
      ctx.moveTo(at, area.top);
      ctx.lineTo(at, area.bottom);
      ctx.stroke();
      if (Number.isFinite(mark.y)) {
        ctx.setLineDash([]);
        ctx.fillStyle = mark.colour;
        ctx.strokeStyle = colour('ground');
        ctx.lineWidth = 2;
        ctx.beginPath();
        ctx.arc(at, y.getPixelForValue(mark.y), 5, 0, 2 * Math.PI);
        ctx.fill();
        ctx.stroke();
      }
      ctx.restore();
    }
  },
};

function openChart(id, config) {
  const canvas = document.getElementById(id);
  if (canvas === null) return null;
  config.options = Object.assign({
    animation: false, responsive: true, maintainAspectRatio: false,
    interaction: {mode: 'nearest', axis: 'x', intersect: false},
  }, config.options);
  config.options.plugins = Object.assign({legend: {display: false}}, config.options.plugins);
  config.options.plugins.tooltip = Object.assign({
    backgroundColor: () => colour('ink'), titleColor: () => colour('ground'),
    bodyColor: () => colour('ground'), displayColors: false, padding: 8, cornerRadius: 4,
  }, config.options.plugins.tooltip);
  config.plugins = [cursor];
  const chart = new Chart(canvas, config);
  charts.push(chart);
  return chart;
}

/* A line whose colour follows the theme. */
function lineSet(points, name, more) {
  return Object.assign({
    type: 'line', data: points, borderColor: () => colour(name), borderWidth: 2, pointRadius: 0,
    pointHitRadius: 6, tension: 0,
  }, more);
}

function dotSet(points, name, more) {
  return Object.assign({
    type: 'scatter', data: points, clip: 8, backgroundColor: () => colour(name),
    borderColor: () => colour('ground'), borderWidth: 1, pointRadius: 4, pointHoverRadius: 5,
  }, more);
}

/* Between low and high: two lines without stroke. */
function bandSets(low, high, name) {
  const bare = {borderWidth: 0, borderColor: 'transparent', pointHitRadius: 0};
  return [lineSet(low, name, Object.assign({fill: false}, bare)),
          lineSet(high, name, Object.assign({fill: '-1', backgroundColor: () => faded(name, 0.18)},
                                            bare))];
}

function defaultFont() {
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  Chart.defaults.font.size = 12;
}

/* Hands a text out as a file. */
function offer(name, text) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text]));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

/* RFC 4180: a text with a comma, a quote or a line break is quoted. */
function csvText(rows) {
  const cell = v => /[",\n]/.test(v) ? '"' + String(v).replaceAll('"', '""') + '"' : String(v ?? '');
  return rows.map(row => row.map(cell).join(',') + '\n').join('');
}

/* After a change of the theme. */
function recolour() {
  readPalette();
  for (const chart of charts) chart.update('none');
}
