// What a guest in AssemblyScript needs for text, bytea and arrays of numbers: to be
// copied.
//
// `text` and `list` take an argument; `giveText` and `giveList` return a result,
// which `release` makes free when the host has copied it.

// A result, as the host reads it: an address and a length
const pair = memory.data(8, 4);

// What the pair points to, away from the garbage collector
let kept: Object | null = null;

// The host allocates an argument; it never asks to change one.
export function cabi_realloc(old: usize, oldSize: usize, alignment: usize, size: usize): usize {
  return heap.alloc(size);
}

export function text(address: usize, length: usize): string {
  const value = String.UTF8.decodeUnsafe(address, length);
  heap.free(address);
  return value;
}

export function list<T>(address: usize, length: usize): StaticArray<T> {
  const values = new StaticArray<T>(i32(length));
  memory.copy(changetype<usize>(values), address, length * sizeof<T>());
  heap.free(address);
  return values;
}

function give(value: Object, length: usize): usize {
  kept = value;
  store<usize>(pair, changetype<usize>(value));
  store<usize>(pair, length, 4);
  return pair;
}

// Half of a surrogate pair becomes U+FFFD.
export function giveText(value: string): usize {
  const bytes = String.UTF8.encode(value, false, String.UTF8.ErrorMode.REPLACE);
  return give(changetype<Object>(bytes), bytes.byteLength);
}

export function giveList<T>(values: StaticArray<T>): usize {
  return give(changetype<Object>(values), values.length);
}

export function release(): void {
  kept = null;
}

@external("postgres:host/log@0.1.0", "log")
declare function log(level: i32, message: usize, length: usize): void;

// The compiler calls this where an error is thrown: its message is a warning, and
// the trap ends the call.
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  const words = String.UTF8.encode(`${message ? message : "aborted"}, ${file ? file : "?"}:${line}`);
  log(4, changetype<usize>(words), words.byteLength);
  unreachable();
}
