// Numbers as packing.py writes them: digits of a base of which each is one character.
"use strict";
CB.packed = (() => {
  // Printable ASCII without what JSON, or a script in a page, must escape.
  const DIGITS = Array.from({ length: 95 }, (_, at) => String.fromCharCode(32 + at)).filter((sign) => !'"&<>\\'.includes(sign)).join("");
  const BASE = DIGITS.length;

  /** @type {Convbench["packed"]["number"]} */
  function number(text, at, width) {
    let value = 0;
    for (let place = at; place < at + width; place += 1) value = BASE * value + DIGITS.indexOf(text[place]);
    return value;
  }

  return { BASE, number };
})();
