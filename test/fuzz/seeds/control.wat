;; Recursion, tail calls, branches, a start function.
(module
  (global $ready (mut i32) (i32.const 0))
  (start $begin)
  (func $begin (global.set $ready (i32.const 7)))
  (func $factorial (export "factorial") (param i64) (result i64)
    (if (result i64) (i64.lt_u (local.get 0) (i64.const 2))
      (then (i64.const 1))
      (else (i64.mul (local.get 0) (call $factorial (i64.sub (local.get 0) (i64.const 1)))))))
  (func $even (export "even") (param i32) (result i32)
    (if (i32.eqz (local.get 0)) (then (return (i32.const 1))))
    (return_call $odd (i32.sub (i32.and (local.get 0) (i32.const 0xffff)) (i32.const 1))))
  (func $odd (param i32) (result i32)
    (if (i32.eqz (local.get 0)) (then (return (i32.const 0))))
    (return_call $even (i32.sub (local.get 0) (i32.const 1))))
  (func (export "switch") (param i32 i64) (result i64)
    (block $other (block $two (block $one
      (br_table $one $two $other $two (local.get 0)))
      (return (i64.add (local.get 1) (i64.const 1))))
      (return (i64.xor (local.get 1) (i64.const -1))))
    (select (local.get 1) (i64.const 5) (global.get $ready)))
  (func (export "collatz") (param i32) (result i32)
    (local $steps i32)
    (loop $next
      (if (i32.gt_u (local.get 0) (i32.const 1))
        (then
          (local.set 0
            (if (result i32) (i32.and (local.get 0) (i32.const 1))
              (then (i32.add (i32.mul (local.get 0) (i32.const 3)) (i32.const 1)))
              (else (i32.shr_u (local.get 0) (i32.const 1)))))
          (br_if $next (i32.lt_u
            (local.tee $steps (i32.add (local.get $steps) (i32.const 1)))
            (i32.const 500))))))
    (local.get $steps))
  (func (export "stop") (unreachable)))
