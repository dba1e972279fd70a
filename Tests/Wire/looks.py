"""What a page in a browser must have, whatever it shows: contrast, labels, and nothing that the browser complains of.

Contrast is that of WCAG 2.2: relative luminance (§ Terms), 4.5 to 1 for text (1.4.3), 3 to 1 for lines, bars and the
borders of fields (1.4.11). Colours are those that the browser has computed, over all elements that are seen.
"""

import re

FINDINGS = r"""
const pixel = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
const known = new Map();
const rgba = (color) => {
  if (!known.has(color)) {
    pixel.clearRect(0, 0, 1, 1);
    pixel.fillStyle = color;
    pixel.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = pixel.getImageData(0, 0, 1, 1).data;
    known.set(color, [r, g, b, a / 255]);
  }
  return known.get(color);
};
const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
const canvas = getComputedStyle(document.documentElement).colorScheme.includes('dark')
  && matchMedia('(prefers-color-scheme: dark)').matches ? [18, 18, 18, 1] : [255, 255, 255, 1];
const paper = (element) => {
  const layers = [];
  for (let at = element; at; at = at.parentElement) {
    const color = rgba(getComputedStyle(at).backgroundColor);
    if (color[3] > 0) layers.push(color);
    if (color[3] === 1) break;
  }
  return layers.reverse().reduce((below, top) => over(top, below), canvas);
};
const luminance = (color) => {
  const [r, g, b] = color.slice(0, 3).map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const pairs = new Map();
const note = (kind, least, color, below, element) => {
  const ink = over(color, below);
  const [light, dark] = [luminance(ink), luminance(below)].sort((a, b) => b - a);
  const ratio = (light + 0.05) / (dark + 0.05);
  const key = [kind, ink.map(Math.round), below.map(Math.round)].join(' ');
  pairs.set(key, {kind, least, ratio, place: element.outerHTML.slice(0, 120)});
};
const isSeen = (element) => element.checkVisibility({visibilityProperty: true, opacityProperty: true})
  && element.getClientRects().length > 0;
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement;
  if (!walker.currentNode.textContent.trim() || !isSeen(element)) continue;
  if (['SCRIPT', 'STYLE', 'OPTION'].includes(element.tagName)) continue;
  note('text', 4.5, rgba(getComputedStyle(element).color), paper(element), element);
}
for (const field of document.querySelectorAll('input:not([type=hidden]), select, button')) {
  if (!isSeen(field)) continue;
  const style = getComputedStyle(field);
  if (field.tagName !== 'BUTTON' && field.type !== 'checkbox') {
    note('field', 4.5, rgba(style.color), paper(field), field);
    note('border', 3, rgba(style.borderTopColor), paper(field.parentElement), field);
    if (field.placeholder) {
      note('placeholder', 4.5, rgba(getComputedStyle(field, '::placeholder').color), paper(field), field);
    }
  }
}
for (const element of document.querySelectorAll('svg *')) {
  if (!isSeen(element) || element.classList.contains('grid')) continue;
  const style = getComputedStyle(element);
  const below = paper(element.ownerSVGElement.parentElement);
  if (style.stroke !== 'none') note('line', 3, rgba(style.stroke), below, element);
  const isBar = element.parentElement.classList.contains('meter');
  if (isBar && element.getBoundingClientRect().width > 0) {
    note('bar', 3, rgba(style.fill), paper(element.parentElement), element);
  }
}
for (const entry of document.querySelectorAll('.key li')) {
  note('key', 3, rgba(getComputedStyle(entry, '::before').borderTopColor), paper(entry), entry);
}
const unnamed = [...document.querySelectorAll('input:not([type=hidden]), select, textarea')].filter(field =>
  isSeen(field) && !field.labels.length && !field.ariaLabel).map(field => field.outerHTML);
const nameless = [...document.querySelectorAll('button, a[href], [role=meter], [role=img]')].filter(element =>
  isSeen(element) && !element.textContent.trim() && !element.ariaLabel).map(element => element.outerHTML);
const ids = [...document.querySelectorAll('[id]')].map(element => element.id);
const outside = [...document.querySelectorAll('body *')].filter(element => isSeen(element)
  && element.getBoundingClientRect().right > innerWidth + 0.5).map(element => element.outerHTML.slice(0, 200));
return {pairs: [...pairs.values()], unnamed, nameless, twice: ids.filter((id, at) => ids.indexOf(id) !== at), outside,
  isStyled: document.styleSheets.length === 1 && document.styleSheets[0].cssRules.length > 50};
"""


def check_looks(browser, where):
    """Fails where a page has too little contrast, a field without a label, something outside of the screen, or where
    the browser has complained. Returns the pairs of colours: (kind, contrast)."""
    found = browser.execute_script(FINDINGS)
    assert found["isStyled"], f"{where}: the style sheet is missing"
    faint = [f"{pair['kind']} {pair['ratio']:.2f} of {pair['least']}: {pair['place']}" for pair in found["pairs"]
             if pair["ratio"] < pair["least"]]
    assert not faint, f"{where}: " + "\n".join(faint)
    for name in ("unnamed", "nameless", "twice", "outside"):
        assert not found[name], f"{where}: {name}: {found[name][:3]}"
    complaints = [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"
                  and not re.search(r"status of (400|401|403|404|422|429)", entry["message"])]
    assert not complaints, f"{where}: {complaints}"
    return {(pair["kind"], round(pair["ratio"], 2)) for pair in found["pairs"]}
