// Numbers as people read them; the same rules as readable.py, which wrote the tables.
"use strict";
CB.readable = (() => {
  /** @type {Map<string, ReadableScale[]>} */
  const SCALES = new Map([
    ["seconds", [["s", 1], ["ms", 1e-3], ["µs", 1e-6], ["ns", 1e-9]]],
    ["bytes", [["GB", 1e9], ["MB", 1e6], ["kB", 1e3], ["bytes", 1]]],
    ["flop/s", [["TFLOP/s", 1e12], ["GFLOP/s", 1e9], ["MFLOP/s", 1e6], ["flop/s", 1]]],
    ["byte/s", [["TB/s", 1e12], ["GB/s", 1e9], ["MB/s", 1e6], ["byte/s", 1]]],
  ]);

  // Of two numbers that are equally near, Python takes the one that ends in an even digit,
  // toPrecision the larger.
  /** @param {number} value @param {number} digits */
  function nearest(value, digits) {
    const [mantissa, exponent] = Math.abs(value).toExponential(40).split("e");
    const figures = mantissa.replace(".", "");
    const kept = figures.slice(0, digits);
    if (!/^50*$/.test(figures.slice(digits)) || Number(kept.at(-1)) % 2) return Number(value.toPrecision(digits));
    return Math.sign(value) * Number(`${kept}e${Number(exponent) - digits + 1}`);
  }

  /** @param {number | null} value */
  function significant(value, digits = 3) {
    if (value === null || !Number.isFinite(value)) return "–";
    if (value === 0) return "0";
    const rounded = nearest(value, digits);
    const magnitude = Math.floor(Math.log10(Math.abs(rounded)));
    if (magnitude < -3) {
      const [mantissa, exponent] = rounded.toExponential(digits - 1).split("e");
      return `${mantissa}e${Number(exponent)}`;
    }
    const places = Math.max(digits - 1 - magnitude, 0);
    return rounded.toLocaleString("en", { minimumFractionDigits: places, maximumFractionDigits: places });
  }

  /** @param {number} value @param {string} unit @returns {ReadableScale} */
  function scale(value, unit) {
    const scales = SCALES.get(unit) || [[unit, 1]];
    return scales.find(([, size]) => Math.abs(value) >= size * 0.9995) || scales[scales.length - 1];
  }

  /** @param {number} value @param {string} unit */
  function quantity(value, unit) {
    const [name, size] = scale(value, unit);
    return `${significant(value / size)} ${name}`.trimEnd();
  }

  /** @param {number} value @param {string} unit */
  function roundQuantity(value, unit) {
    const [name, size] = scale(value, unit);
    return `${Number((value / size).toPrecision(10)).toLocaleString("en")} ${name}`.trimEnd();
  }

  /** @param {number} ratio */
  function times(ratio) {
    if (ratio < 1.095) return significant(ratio, ratio >= 1 ? 3 : 2);
    return significant(ratio, ratio < 99.5 ? 2 : 3);
  }

  /** @param {number} ratio */
  function percent(ratio) {
    if (ratio >= 3) return `×${times(ratio)}`;
    const change = (ratio - 1) * 100;
    return `${change >= 0 ? "+" : "−"}${significant(Math.abs(change), Math.abs(change) < 99.5 ? 2 : 3)} %`;
  }

  /** @param {number} number @param {string} noun */
  const counted = (number, noun) => `${number.toLocaleString("en")} ${number === 1 ? noun : `${noun}s`}`;

  return { significant, scale, quantity, roundQuantity, times, percent, counted };
})();
