;; The example of the README, in WebAssembly text: sum(a, b) = a + b.
(module
  (func (export "sum") (param i32 i32) (result i32)
    (i32.add (local.get 0) (local.get 1))))
