// Runs in the page (login-pages-browser.test.ts): the texts whose contrast with what is painted behind them is below 4.5.
(() => {
  function luminance(colour) {
    const [r, g, b] = colour.match(/[\d.]+/g).map((value) => {
      const part = Number(value) / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }
  function behind(element) {
    if (element === null) return 'rgb(255, 255, 255)';
    const colour = getComputedStyle(element).backgroundColor;
    return colour.startsWith('rgb(') ? colour : behind(element.parentElement);
  }
  return [...document.querySelectorAll('main *')]
    .filter((element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== ''))
    .map((element) => {
      const [darker, lighter] = [getComputedStyle(element).color, behind(element)].map(luminance).sort((a, b) => a - b);
      return { text: element.textContent.trim(), ratio: (lighter + 0.05) / (darker + 0.05) };
    })
    .filter(({ ratio }) => ratio < 4.5)
    .map(({ text, ratio }) => `${ratio.toFixed(2)} ${text}`);
})();
