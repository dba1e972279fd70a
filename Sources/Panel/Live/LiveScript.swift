// The only script of the panel. It shows what the stream of events brings: new texts of values, new widths of
// bars, new plots. A page without it has the same values, which then stay as they were.

import Martlet

/// The script of pages with live values.
enum LiveScript {
  /// What it is known by, so that browsers keep it for a year and get another one where it has changed.
  static var number: UInt32 { MountLine.number(text.octets) }

  static var text: StaticString {
    """
    (() => {
      "use strict";
      const address = document.currentScript.dataset.events;
      const state = document.getElementById("live");
      let events, late;
      const all = (name, key, change) =>
        document.querySelectorAll(`[${name}="${key}"]`).forEach(change);
      const say = (text, isBroken) => {
        if (state.textContent !== text) state.textContent = text;
        state.className = isBroken ? "caution live" : "note live";
      };
      const fail = () => say("Not live: the device does not answer, or your login has ended. Trying again.", true);
      // A connection that is cut somewhere on the way says nothing, and neither does a refusal.
      const wait = () => {
        clearTimeout(late);
        late = setTimeout(() => { fail(); open(); }, 16000);
      };
      const open = () => {
        if (events) events.close();
        events = new EventSource(address);
        events.onopen = () => say("Live: the values move by themselves.");
        events.onerror = fail;
        events.addEventListener("values", (event) => {
          wait();
          const values = JSON.parse(event.data);
          for (const key in values) {
            const text = values[key] ?? "unknown";
            all("data-live", key, (place) => {
              if (place.textContent !== text) place.textContent = text;
            });
            all("data-meter", key, (meter) => {
              const percent = parseInt(text);
              if (!(percent >= 0)) return;
              meter.setAttribute("aria-valuenow", percent);
              meter.firstElementChild.setAttribute("width", percent + "%");
              meter.firstElementChild.setAttribute(
                "class", percent >= 90 ? "full" : percent >= 75 ? "high" : "fine");
            });
          }
        });
        events.addEventListener("plot", (event) => {
          const made = document.createElement("template");
          made.innerHTML = event.data;
          const plot = made.content.firstElementChild;
          const old = document.getElementById(plot.id);
          if (old) old.replaceWith(plot);
        });
        wait();
      };
      // A page that nobody sees needs no connection: a browser has few for each device.
      const look = () => {
        if (!document.hidden) return open();
        clearTimeout(late);
        if (events) events.close();
      };
      document.addEventListener("visibilitychange", look);
      look();
    })();

    """
  }
}
