/* What is done once the page is there. */

function parseData() {
  return JSON.parse(document.getElementById('data').textContent);
}

/* ---- theme --------------------------------------------------------------------------------------- */

const dark = window.matchMedia('(prefers-color-scheme: dark)');

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === 'dark' : dark.matches;
}

/* The button names what it changes to. */
function nameTheme() {
  const button = document.getElementById('theme');
  button.textContent = isDark() ? '☀ light' : '☾ dark';
}

function setTheme(theme, page) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  nameTheme();
  recolour();
  if (page.redraw) page.redraw();
}

function openTheme(page) {
  const button = document.getElementById('theme');
  button.hidden = false;
  nameTheme();
  button.addEventListener('click', () => setTheme(isDark() ? 'light' : 'dark', page));
  dark.addEventListener('change', () => setTheme(document.documentElement.dataset.theme, page));
  let before;
  window.addEventListener('beforeprint', () => {
    before = document.documentElement.dataset.theme;
    setTheme('light', page);
  });
  window.addEventListener('afterprint', () => setTheme(before, page));
}

/* ---- charts that stand still ------------------------------------------------------------------- */

function openSelection(selection, chosen) {
  const same = x => Math.abs(Math.log(x / chosen)) < 1e-6;
  openChart('chart-selection', {
    type: 'bar',
    data: {labels: selection.lambda, datasets: [{
      data: selection.share, categoryPercentage: 0.95, barPercentage: 0.95,
      backgroundColor: c => colour(same(selection.lambda[c.dataIndex]) ? 'orange' : 'blue'),
    }]},
    options: {
      scales: {
        x: {type: 'category', grid: {display: false, borderColor: () => colour('axis')},
            title: {display: true, text: 'penalty λ', color: () => colour('quiet')},
            ticks: {color: () => colour('quiet'), maxRotation: 0, autoSkip: true, maxTicksLimit: 7,
                    callback: (_, i) => lambdaText(selection.lambda[i])}},
        y: Object.assign(valueAxis('share of the draws', v => percent(v, 0)), {min: 0}),
      },
      plugins: {tooltip: {callbacks: {title: items => 'λ = ' + lambdaText(selection.lambda[items[0].dataIndex]),
                                      label: item => percent(item.parsed.y, 0) + ' of the draws'}}},
    },
  });
}

function openHistory(history) {
  const points = history.step.map((x, i) => ({x, y: history.loss[i]}));
  openChart('chart-history', {
    data: {datasets: [lineSet(points, 'blue')]},
    options: {
      scales: {
        x: Object.assign(valueAxis('step', v => v.toLocaleString('en')),
                         {type: 'linear', min: 0, max: history.step[history.step.length - 1]}),
        y: lossAxis(history.loss, v => Number(v.toPrecision(3))),
      },
      plugins: {tooltip: {callbacks: {title: items => 'step ' + items[0].parsed.x.toLocaleString('en'),
                                      label: item => 'loss ' + item.parsed.y.toFixed(4)}}},
    },
  });
}

/* ---- files ------------------------------------------------------------------------------------- */

function openFiles() {
  for (const link of document.querySelectorAll('a[data-file]'))
    link.addEventListener('click', () => {
      const source = document.getElementById(link.dataset.file);
      const text = source.tagName === 'IMG' ? source.src.split(',')[1] : source.textContent;
      const bytes = Uint8Array.from(atob(text), c => c.charCodeAt(0));
      const url = URL.createObjectURL(new Blob([bytes]));
      link.href = url;
      setTimeout(() => URL.revokeObjectURL(url), 10000);
    });
}

/* ---- the explorer ------------------------------------------------------------------------------ */

function openExplorer(data, page) {
  const show = (id, wanted) => { document.getElementById(id).hidden = !wanted; };
  const explorer = new Explorer(data), drawn = data.generator || data.weights;
  show('figure-confusion', data.confusion);
  show('figure-reliability', data.bins);
  show('figure-weights', drawn && data.image);
  show('gallery', data.gallery);
  show('section-selection', data.selection);
  show('section-history', data.history);
  const follow = action => explorer.followers.push(action);
  if (data.confusion) {
    const confusion = new Confusion(data);
    follow(e => confusion.follow(e.index));
  }
  if (data.bins) {
    const reliability = openReliability(explorer);
    follow(e => reliability(e.index));
  }
  if (drawn && data.image) {
    const weights = new WeightImages(data, explorer.generator);
    follow(e => weights.follow(e));
  }
  if (data.gallery) {
    page.gallery = new Gallery(explorer);
    follow(() => page.gallery.follow());
  }
  if (data.selection) openSelection(data.selection, data.lambda[data.chosen]);
  if (data.history) openHistory(data.history);
  page.explorer = explorer;
  page.redraw = () => {
    if (page.gallery) page.gallery.fill();
    explorer.move(explorer.index);
  };
  explorer.move(explorer.index);
}

function openPage() {
  const page = {};
  const data = parseData();
  readPalette();
  defaultFont();
  openTheme(page);
  openFiles();
  if (data.explorer) openExplorer(data.explorer, page);
  window.amortune = page;
  document.documentElement.dataset.ready = 'yes';
}

openPage();
