// Line charts, drawn by uPlot from the data at the end of the page. Colours come from the style sheet, so that both themes are in
// one place; every arm has a dash and a shape beside its colour, and its name at the end of its line where there is room.
{
  const DASHES = [[], [8, 4], [2, 3], [12, 3, 2, 3], [5, 2], [9, 3, 3, 3], [1, 2]]
  const PIXELS_PER_LABEL = 15
  const GUTTER = 170
  const NARROW = 620
  const colour = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim()
  const charts = JSON.parse(document.getElementById('charts').textContent)

  const short = value => {
    const size = Math.abs(value)
    if (size >= 99.95) return value.toFixed(0)
    return String(Number(value.toPrecision(size < 1 ? 2 : 3)))
  }
  const powers = (value, step, names) => {
    let at = 0
    for (; value >= step && at < names.length - 1; at++) value /= step
    return `${short(value)} ${names[at]}`.trim()
  }
  const FORMATS = {
    '/s': value => `${powers(value, 1000, ['', 'k', 'M', 'G'])}/s`,
    µs: value => powers(value, 1000, ['µs', 'ms', 's']),
    B: value => powers(value, 1024, ['B', 'KiB', 'MiB', 'GiB']),
    '%': value => `${short(value)} %`,
    '': value => powers(value, 1000, ['', 'k', 'M', 'G']),
  }

  /** 1, 2, 5 of each power of ten; only 1 where that is enough. */
  const logTicks = (low, high, most) => {
    const found = steps => {
      const ticks = []
      for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++)
        for (const step of steps) {
          const value = Number(`${step}e${power}`)
          if (value >= low && value <= high) ticks.push(value)
        }
      return ticks
    }
    return [[1, 2, 5], [1, 3], [1]].map(found).find(ticks => ticks.length <= most) ?? found([1])
  }

  const drawShape = (ctx, shape, x, y, r) => {
    ctx.beginPath()
    if (shape === 0) ctx.arc(x, y, r, 0, 2 * Math.PI)
    else {
      const [sides, turn] = [
        [4, 45],
        [4, 0],
        [3, -90],
        [3, 90],
        [6, 0],
        [5, -90],
      ][(shape - 1) % 6]
      for (let at = 0; at < sides; at++) {
        const angle = ((at * 360) / sides + turn) * (Math.PI / 180)
        ctx.lineTo(x + 1.25 * r * Math.cos(angle), y + 1.25 * r * Math.sin(angle))
      }
      ctx.closePath()
    }
    ctx.fill()
  }

  const drawChart = chart => {
    const target = document.getElementById(`chart-${chart.id}`)
    const format = FORMATS[chart.unit]
    let next = 0
    const series = chart.series.map(one => ({ ...one, style: one.bold ? next++ : -1 }))
    const values = series.flatMap(one => [...one.median, ...one.low, ...one.high]).filter(value => value > 0)
    const [low, high] = [Math.min(...values) / 1.25, Math.max(...values) * 1.25]
    const stroke = one => (one.style < 0 ? colour('--s-grey') : colour(`--s${one.style}`))
    const gutter = () => (target.clientWidth < NARROW ? 14 : GUTTER)
    let labels = []

    const placeLabels = plot => {
      for (const label of labels) label.remove()
      labels = []
      if (target.clientWidth < NARROW) return
      const ratio = devicePixelRatio
      const places = series
        .filter(one => one.style >= 0 || series.length <= 12)
        .flatMap(one => {
          const value = one.median.at(-1)
          return value === null ? [] : [{ one, y: plot.valToPos(value, 'y') }]
        })
        .sort((a, b) => a.y - b.y)
      const [top, bottom] = [0, plot.bbox.height / ratio]
      places.forEach((place, at) => {
        place.at = Math.max(place.y, at === 0 ? top : places[at - 1].at + PIXELS_PER_LABEL)
      })
      for (let at = places.length - 1; at >= 0; at--) {
        const most = at === places.length - 1 ? bottom : places[at + 1].at - PIXELS_PER_LABEL
        places[at].at = Math.min(places[at].at, most)
      }
      for (const { one, at } of places) {
        const label = document.createElement('span')
        label.className = 'end'
        label.textContent = one.name
        label.style.cssText = `left:${(plot.bbox.left + plot.bbox.width) / ratio + 12}px;top:${plot.bbox.top / ratio + at}px;color:${one.style < 0 ? colour('--soft') : stroke(one)}`
        target.append(label)
        labels.push(label)
      }
    }

    const drawMarks = plot => {
      const { ctx } = plot
      const ratio = devicePixelRatio
      const shown = [...series].sort((a, b) => (a.style < 0 ? 0 : 1) - (b.style < 0 ? 0 : 1))
      ctx.save()
      for (const one of shown) {
        ctx.fillStyle = ctx.strokeStyle = stroke(one)
        one.median.forEach((value, at) => {
          if (value === null) return
          const x = plot.valToPos(chart.x[at], 'x', true)
          if (one.style >= 0) {
            ctx.lineWidth = 1.5 * ratio
            ctx.setLineDash([])
            ctx.globalAlpha = 0.6
            ctx.beginPath()
            ctx.moveTo(x, plot.valToPos(one.low[at] ?? value, 'y', true))
            ctx.lineTo(x, plot.valToPos(one.high[at] ?? value, 'y', true))
            ctx.stroke()
            ctx.globalAlpha = 1
          }
          drawShape(ctx, Math.max(0, one.style), x, plot.valToPos(value, 'y', true), (one.style < 0 ? 2 : 4) * ratio)
        })
      }
      ctx.restore()
    }

    const xLabels = plot => {
      let last = -Infinity
      return chart.x.map((x, at) => {
        const [place, half] = [plot.valToPos(x, 'x'), chart.xLabels[at].length * 3.6 + 4]
        if (place - half < last) return null
        last = place + half
        return chart.xLabels[at]
      })
    }

    const axis = {
      stroke: () => colour('--soft'),
      grid: { stroke: () => colour('--line'), width: 1 },
      ticks: { show: false },
      font: '12px system-ui, sans-serif',
    }
    const paths = uPlot.paths.linear()
    const options = {
      width: target.clientWidth,
      height: target.clientHeight,
      legend: { show: false },
      padding: [12, gutter(), 0, 0],
      cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
      scales: {
        x: { time: false, range: () => [chart.x[0] - 0.25, chart.x.at(-1) + 0.25] },
        y: { distr: 3, range: () => [low, high] },
      },
      axes: [
        {
          ...axis,
          size: 26,
          label: chart.xTitle,
          labelSize: 20,
          labelGap: 0,
          labelFont: '12px system-ui, sans-serif',
          splits: () => chart.x,
          values: xLabels,
        },
        {
          ...axis,
          size: 70,
          splits: () => logTicks(low, high, target.clientHeight / 40),
          filter: (_, splits) => splits,
          values: (_, splits) => splits.map(format),
        },
      ],
      series: [
        {},
        ...series.map(one => ({
          label: one.name,
          paths,
          points: { show: false },
          stroke: () => stroke(one),
          spanGaps: true,
        })),
      ],
      hooks: {
        drawSeries: [(plot, at) => at === series.length && drawMarks(plot)],
        draw: [placeLabels],
        setCursor: [plot => readOut(plot.cursor.idx)],
      },
    }
    const restyle = plot =>
      series.forEach((one, at) => {
        plot.series[at + 1].width = (one.style < 0 ? 1 : 2) * devicePixelRatio
        plot.series[at + 1].dash =
          one.style < 0 ? undefined : DASHES[one.style].map(length => length * devicePixelRatio)
      })
    const plot = new uPlot(options, [chart.x, ...series.map(one => one.median)], target)
    restyle(plot)

    const legend = target.parentElement.querySelector('.legend')
    const buttons = series.map(one => {
      const button = document.createElement('button')
      button.type = 'button'
      button.innerHTML =
        '<svg width="26" height="10" aria-hidden="true"><line x1="0" y1="5" x2="26" y2="5" stroke-width="2.5"/></svg><span></span><span class="now"></span>'
      button.children[1].textContent = one.name
      button.addEventListener('click', () => {
        const used = new Set(series.map(other => other.style))
        one.style =
          one.style >= 0
            ? -1
            : Math.max(
                0,
                DASHES.findIndex((_, at) => !used.has(at)),
              )
        refresh()
      })
      legend.append(button)
      return button
    })
    const readOut = at =>
      buttons.forEach((button, index) => {
        const value = at === null || at === undefined ? null : series[index].median[at]
        button.children[2].textContent = value === null ? '' : format(value)
      })
    const refresh = () => {
      series.forEach((one, at) => {
        buttons[at].setAttribute('aria-pressed', String(one.style >= 0))
        const line = buttons[at].querySelector('line')
        line.setAttribute('stroke', stroke(one))
        line.setAttribute('stroke-dasharray', one.style < 0 ? '' : DASHES[one.style].join(' '))
      })
      restyle(plot)
      plot.redraw()
    }
    refresh()
    document.addEventListener('theme', refresh)
    new ResizeObserver(() => {
      if (target.clientWidth === 0) return
      plot.padding = [12, gutter(), 0, 0]
      plot.setSize({ width: target.clientWidth, height: target.clientHeight })
    }).observe(target)
  }

  for (const chart of charts) drawChart(chart)
}
