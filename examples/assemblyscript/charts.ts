// Small charts and short texts for lists: an array of numbers as a line of bars, and
// a text cut between words.
//
// doc/guests/assemblyscript.md says how it is built and called.

import { giveText, list, release, text } from "./abi";

export { cabi_realloc } from "./abi";

const BARS = "▁▂▃▄▅▆▇█";

// double precision[] -> text: two numbers for the argument, an address for the result
export function sparkline(address: usize, length: usize): usize {
  const values = list<f64>(address, length);
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i < values.length; i++) {
    if (!isFinite(values[i])) continue;
    low = Math.min(low, values[i]);
    high = Math.max(high, values[i]);
  }
  const bars = new Array<string>(values.length);
  for (let i = 0; i < values.length; i++) {
    if (isFinite(values[i])) {
      const height = high > low ? (values[i] - low) / (high - low) : 0.0;
      bars[i] = BARS.charAt(i32(Math.round(height * (BARS.length - 1))));
    } else {
      bars[i] = " ";
    }
  }
  return giveText(bars.join(""));
}

export function cabi_post_sparkline(result: usize): void {
  release();
}

// text, integer -> text: at most so many characters, an ellipsis among them
export function shorten(address: usize, length: usize, limit: i32): usize {
  const content = text(address, length).trim();
  if (limit < 1) throw new RangeError("a text cannot have " + limit.toString() + " characters");

  // where character `limit` begins, in UTF-16
  let end = 0;
  let last = 0;
  for (let count = 0; end < content.length && count < limit; count++) {
    last = end;
    end += content.codePointAt(end) > 0xffff ? 2 : 1;
  }
  if (end == content.length) return giveText(content);

  const space = content.lastIndexOf(" ", last);
  return giveText(content.substring(0, space > 0 ? space : last).trimEnd() + "…");
}

export function cabi_post_shorten(result: usize): void {
  release();
}
