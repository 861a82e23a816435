(function () {
  "use strict";
  const read = (id) => {
    const element = document.getElementById(id);
    return element ? JSON.parse(element.textContent) : {};
  };
  const charts = read("charts");
  const darkOf = read("colours");
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const narrow = window.matchMedia("(max-width: 560px)");
  const options = { displayModeBar: false, responsive: true, scrollZoom: false };
  let memoryFromZero = false;

  // the figures are made in light colours; on a dark screen each is swapped for its counterpart
  function recoloured(value, isDark) {
    if (typeof value === "string") return isDark && darkOf[value] ? darkOf[value] : value;
    if (Array.isArray(value)) return value.map((item) => recoloured(item, isDark));
    if (value && typeof value === "object") {
      const copy = {};
      for (const key of Object.keys(value)) copy[key] = recoloured(value[key], isDark);
      return copy;
    }
    return value;
  }

  function drawn(key, isDark, widthPx) {
    const figure = recoloured(charts[key], isDark);
    const layout = figure.layout;
    delete layout.template;
    if (widthPx) { layout.width = widthPx; layout.autosize = false; }
    if (narrow.matches && !widthPx) {
      layout.font.size = 11;
      layout.dragmode = false;
      layout.xaxis.nticks = 5;
      if (layout.legend.orientation === "h" && layout.height > 300) layout.height += 90;
    }
    if (key === "memory" && memoryFromZero) layout.yaxis.range = [0, layout.yaxis.range[1]];
    return figure;
  }

  function drawAll(isDark, inPrint) {
    for (const place of document.querySelectorAll("[data-chart]")) {
      const key = place.dataset.chart;
      const widthPx = inPrint ? (place.closest(".grid") ? 320 : 680) : 0;
      const figure = drawn(key, isDark, widthPx);
      Plotly.react(place, figure.data, figure.layout, options);
    }
  }

  if (window.Plotly) {
    const draw = () => drawAll(dark.matches, false);
    draw();
    dark.addEventListener("change", draw);
    narrow.addEventListener("change", draw);
    window.addEventListener("beforeprint", () => drawAll(false, true));
    window.addEventListener("afterprint", draw);
    const reset = document.getElementById("reset-zoom");
    if (reset) reset.addEventListener("click", draw);
    for (const button of document.querySelectorAll("[data-range]")) {
      button.addEventListener("click", () => {
        memoryFromZero = button.dataset.range === "zero";
        for (const other of document.querySelectorAll("[data-range]")) {
          other.setAttribute("aria-pressed", String(other === button));
        }
        draw();
      });
    }
  }

  const copy = document.getElementById("copy");
  if (copy) {
    copy.addEventListener("click", async () => {
      const box = document.getElementById("markdown");
      const said = document.getElementById("copied");
      try {
        await navigator.clipboard.writeText(box.value);
        said.textContent = "Copied.";
      } catch {
        // pages opened from a disk may not write to the clipboard: leave the text selected instead
        box.closest("details").open = true;
        box.focus();
        box.select();
        said.textContent = document.execCommand("copy") ? "Copied." : "Press Ctrl+C to copy the selected text.";
      }
    });
  }
})();
