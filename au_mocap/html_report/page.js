"use strict";
(() => {
  const WIDTH = 1000, HEIGHT = 100, NARROWEST_S = 0.2;
  const STEPS_S = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600];
  const root = document.documentElement;
  const data = JSON.parse(document.getElementById("data").textContent);
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const shares = (text) => Float32Array.from(bytes(text), (value) => (value === 255 ? NaN : value / 250));
  const degrees = (text) =>
    Float32Array.from(new Int16Array(bytes(text).buffer), (value) => (value === -32768 ? NaN : value / 100));
  const times = new Float32Array(bytes(data.times).buffer);
  const end = Math.max(times[times.length - 1], 0.001);
  const shown = document.querySelectorAll("#timeline .row:not(.axis)");
  const rows = data.rows.map((row, index) => ({
    kind: row.kind,
    limit: row.limit,
    series: row.series.map(row.kind === "angle" ? degrees : shares),
    paths: shown[index].querySelectorAll(".curve"),
    output: shown[index].querySelector("output"),
    peaks: Array.from(shown[index].querySelectorAll("output span"), (span) => span.textContent),
  }));
  const strips = data.strips.map(shares);
  const view = { from: 0, to: end };
  let pinned = null, dragged = null;

  const clock = (seconds, digits) => {
    const ticks = Math.round(Math.abs(seconds) * 10 ** digits);
    const whole = Math.floor(ticks / 10 ** digits), part = ticks % 10 ** digits;
    const hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
    const head = hours ? hours + ":" + String(minutes).padStart(2, "0") : String(minutes);
    const tail = digits ? "." + String(part).padStart(digits, "0") : "";
    return (seconds < 0 ? "-" : "") + head + ":" + String(whole % 60).padStart(2, "0") + tail;
  };
  const level = (value) => (value > 0.1 ? Math.ceil(Math.min(value, 1) * 5 - 1e-6) : 0);
  const letter = (value) => "ABCDE".charAt(level(value) - 1);
  const nearest = (time) => {
    let low = 0, high = times.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (times[middle] < time) low = middle + 1; else high = middle;
    }
    return low > 0 && time - times[low - 1] < times[low] - time ? low - 1 : low;
  };
  const across = (time) => ((time - view.from) / (view.to - view.from)) * WIDTH;
  const range = () => [Math.max(0, nearest(view.from) - 1), Math.min(times.length - 1, nearest(view.to) + 1)];

  /* The same drawing as in the file, for the part in view: both extremes of each column, in the order they come. */
  const line = (row, values) => {
    const [first, last] = range();
    const dense = last - first > 2 * WIDTH;
    const height = (value) => HEIGHT * (1 - (row.kind === "angle" ? value / (2 * row.limit) + 0.5 : value));
    const parts = [];
    let points = [], column = null, low = null, high = null;
    const put = (index) => points.push(across(times[index]).toFixed(1) + " " + height(values[index]).toFixed(1));
    const flush = () => {
      if (low !== null) [Math.min(low, high), Math.max(low, high)].forEach((index, k, pair) => k && index === pair[0] || put(index));
      low = high = null;
    };
    const close = () => {
      flush();
      if (!points.length) return;
      const left = points[0].split(" ")[0], right = points[points.length - 1].split(" ")[0];
      if (row.kind === "angle") parts.push("M" + points.join(" ") + (points.length === 1 ? "h0.5" : ""));
      else parts.push("M" + left + " " + HEIGHT + "L" + points.join(" ") + " " + right + " " + HEIGHT);
      points = [];
    };
    for (let index = first; index <= last; index++) {
      const value = values[index];
      const here = Math.floor(across(times[index]));
      if (Number.isNaN(value)) {
        if (!dense || (index < last && Math.floor(across(times[index + 1])) !== here && low === null)) close();
        continue;
      }
      if (!dense) { put(index); continue; }
      if (here !== column) { flush(); column = here; }
      if (low === null || value < values[low]) low = index;
      if (high === null || value > values[high]) high = index;
    }
    close();
    return parts.join("");
  };

  const drawAxis = () => {
    const span = view.to - view.from;
    const step = STEPS_S.find((each) => span / each <= 9) || STEPS_S[STEPS_S.length - 1];
    const axis = document.getElementById("axis");
    const marks = [];
    let grid = "";
    for (let k = Math.ceil((view.from + data.start) / step - 1e-6); k * step - data.start <= view.to + 1e-6; k++) {
      const at = across(k * step - data.start);
      const mark = document.createElement("span");
      mark.textContent = clock(k * step, step < 1 ? 1 : 0);
      mark.style.left = (at / 10).toFixed(2) + "%";
      marks.push(mark);
      grid += "M" + at.toFixed(1) + " 0V" + HEIGHT;
    }
    axis.replaceChildren(...marks);
    document.getElementById("grid").setAttribute("d", grid);
  };

  const drawGaps = () => {
    const edge = (index) =>
      index === 0 ? 0 : index === times.length ? end : (times[index - 1] + times[index]) / 2;
    const bands = data.gaps.map(([first, stop]) => {
      const left = across(edge(first)), right = Math.max(across(edge(stop)), left + 0.5);
      return right < 0 || left > WIDTH ? "" : "M" + left.toFixed(1) + " 0H" + right.toFixed(1) + "V100H" + left.toFixed(1) + "Z";
    });
    document.getElementById("gaps").setAttribute("d", bands.join(""));
  };

  const drawStrips = () => {
    const box = document.querySelector("#strips .plot");
    if (!box) return;
    const canvas = box.querySelector("canvas"), image = box.querySelector("img");
    const whole = view.from === 0 && view.to === end;
    canvas.hidden = whole;
    image.hidden = !whole;
    if (whole) return;
    const [first, last] = range(), width = WIDTH, high = 16;
    canvas.width = width;
    canvas.height = high * strips.length;
    const pen = canvas.getContext("2d");
    strips.forEach((values, row) => {
      const levels = new Uint8Array(width);
      for (let index = first; index <= last; index++) {
        const from = Math.max(0, Math.floor(across(times[index])));
        const next = index + 1 < times.length ? across(times[index + 1]) : WIDTH;
        for (let x = from; x < Math.min(width, Math.max(next, from + 1)); x++) {
          levels[x] = Math.max(levels[x], level(values[index]));
        }
      }
      levels.forEach((each, x) => {
        if (!each) return;
        pen.fillStyle = "rgba(" + data.colour.join(",") + "," + data.opacity[each] / 255 + ")";
        pen.fillRect(x, row * high, 1, 14);
      });
    });
  };

  let waiting = false;
  const draw = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      rows.forEach((row) => row.series.forEach((values, k) => row.paths[k].setAttribute("d", line(row, values))));
      drawAxis();
      drawGaps();
      drawStrips();
      point(pinned);
    });
  };

  const show = (from, to) => {
    const span = Math.min(Math.max(to - from, NARROWEST_S), end);
    view.from = Math.min(Math.max(from, 0), end - span);
    view.to = view.from + span;
    draw();
  };

  const said = (row, value, name) => {
    if (Number.isNaN(value)) return name + "no face";
    if (row.kind === "angle") return name + value.toFixed(1) + "°";
    return name + value.toFixed(2) + (row.kind === "channel" ? " " + letter(value) : "");
  };

  const point = (time) => {
    const now = document.getElementById("now");
    if (time === null) {
      root.style.removeProperty("--at");
      now.textContent = "";
      rows.forEach((row) => row.output.querySelectorAll("span").forEach((span, k) => { span.textContent = row.peaks[k]; }));
      return;
    }
    const index = nearest(time);
    root.style.setProperty("--at", across(times[index]) / 10 + "%");
    now.textContent = clock(times[index] + data.start, 2) + " · frame " + (data.first + index);
    rows.forEach((row) =>
      row.output.querySelectorAll("span").forEach((span, k) => {
        const name = row.series.length > 1 ? row.peaks[k].split(" ")[0] + " " : "";
        span.textContent = said(row, row.series[k][index], name);
      })
    );
  };

  const timeAt = (event, plot) => {
    const box = plot.getBoundingClientRect();
    const share = Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
    return view.from + share * (view.to - view.from);
  };
  const pick = (from, to) => {
    root.style.setProperty("--from", across(Math.min(from, to)) / 10 + "%");
    root.style.setProperty("--wide", Math.abs(across(to) - across(from)) / 10 + "%");
  };
  const unpick = () => {
    root.style.removeProperty("--from");
    root.style.removeProperty("--wide");
    dragged = null;
  };

  document.querySelectorAll(".row:not(.axis) .plot, #strips .plot").forEach((plot) => {
    plot.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      dragged = timeAt(event, plot);
      if (event.pointerType === "mouse") plot.setPointerCapture(event.pointerId);
    });
    plot.addEventListener("pointermove", (event) => {
      const time = timeAt(event, plot);
      point(time);
      if (dragged !== null) pick(dragged, time);
    });
    plot.addEventListener("pointerup", (event) => {
      const time = timeAt(event, plot), start = dragged;
      unpick();
      if (start !== null && Math.abs(across(time) - across(start)) > 10) show(Math.min(start, time), Math.max(start, time));
      else { pinned = time; point(time); }
    });
    plot.addEventListener("pointercancel", unpick);
    plot.addEventListener("pointerleave", () => { if (dragged === null) point(pinned); });
    plot.addEventListener("dblclick", () => { pinned = null; show(0, end); });
  });

  const acts = {
    in: () => zoom(0.5),
    out: () => zoom(2),
    back: () => pan(-0.5),
    on: () => pan(0.5),
    all: () => { pinned = null; show(0, end); },
  };
  const zoom = (factor) => {
    const inside = pinned !== null && pinned >= view.from && pinned <= view.to;
    const middle = inside ? pinned : (view.from + view.to) / 2;
    const half = ((view.to - view.from) * factor) / 2;
    show(middle - half, middle + half);
  };
  const pan = (share) => {
    const shift = (view.to - view.from) * share;
    show(view.from + shift, view.to + shift);
  };
  const keys = { "+": "in", "=": "in", "-": "out", ArrowLeft: "back", ArrowRight: "on", 0: "all" };
  document.querySelectorAll("[data-do]").forEach((button) => button.addEventListener("click", acts[button.dataset.do]));
  document.addEventListener("keydown", (event) => {
    const name = keys[event.key];
    if (!name || event.ctrlKey || event.metaKey || event.altKey) return;
    acts[name]();
    event.preventDefault();
  });
  document.querySelectorAll("[data-time]").forEach((button) =>
    button.addEventListener("click", () => {
      pinned = Number(button.dataset.time) - data.start;
      const half = (view.to - view.from) / 2;
      if (pinned < view.from || pinned > view.to) show(pinned - half, pinned + half);
      else point(pinned);
      document.getElementById("timeline").scrollIntoView({ behavior: "smooth", block: "start" });
    })
  );
  document.querySelector(".controls").hidden = false;
})();
