(() => {
  const address = document.currentScript.dataset.events;
  const state = document.getElementById("live");
  if (!state) return;
  let events, late;
  const say = (text, name) => {
    if (state.textContent !== text) state.textContent = text;
    state.className = name + " live";
  };
  const fail = () => say("Not live: the device does not answer, or your login has ended. Trying again.", "caution");
  const wait = () => {
    clearTimeout(late);
    late = setTimeout(() => { fail(); open(); }, 16000);
  };
  const all = (name, key, change) => document.querySelectorAll(`[${name}="${key}"]`).forEach(change);
  const setMeter = (meter, percent) => {
    const bar = meter.firstElementChild;
    meter.setAttribute("aria-valuenow", percent);
    bar.setAttribute("width", percent + "%");
    bar.setAttribute("class", percent > 89 ? "full" : percent > 74 ? "high" : "fine");
  };
  const showValues = (event) => {
    wait();
    const values = JSON.parse(event.data);
    for (const key in values) {
      const text = values[key] ?? "unknown";
      all("data-live", key, (place) => { if (place.textContent !== text) place.textContent = text; });
      if (parseInt(text) >= 0) all("data-meter", key, (meter) => setMeter(meter, parseInt(text)));
    }
  };
  const showPlot = (event) => {
    const made = document.createElement("template");
    made.innerHTML = event.data;
    const plot = made.content.firstElementChild;
    const old = document.getElementById(plot.id);
    if (old) old.replaceWith(plot);
  };
  const close = () => { if (events) events.close(); };
  const open = () => {
    close();
    events = new EventSource(address);
    events.onopen = () => say("Live: the values move by themselves.", "note");
    events.onerror = fail;
    events.addEventListener("values", showValues);
    events.addEventListener("plot", showPlot);
    wait();
  };
  const look = () => {
    if (!document.hidden) return open();
    clearTimeout(late);
    close();
  };
  document.addEventListener("visibilitychange", look);
  look();
})();
