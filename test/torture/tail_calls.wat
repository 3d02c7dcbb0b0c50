;; Guests that call each other in tail position, with more and with fewer
;; arguments and through a table, as those of interrupts.wat otherwise.

(module
	(table $t 4 funcref)
	(elem (table $t) (i32.const 0) func $two $nine $fourteen $vector)
	(type $two (func (param i64 i64) (result i64)))
	(type $nine (func (param i64 i64 i64 i64 i64 i64 i64 i64 i64) (result i64)))
	(global $inside (mut i32) (i32.const 0))

	(func $mix (param $h i64) (param $x i64) (result i64)
		(i64.rotl
			(i64.mul (i64.xor (local.get $h) (local.get $x)) (i64.const 0x9e3779b97f4a7c15))
			(i64.const 29)))

	;; The first parameter counts passes; each goes through all of these, with 2
	;; arguments, 9, 14, 5 with vectors, and 2 again.
	(func $two (param $i i64) (param $h i64) (result i64)
		(if (i64.eqz (local.get $i))
			(then (return (local.get $h))))
		(return_call $nine
			(local.get $i)
			(call $mix (local.get $h) (local.get $i))
			(local.get $h)
			(i64.add (local.get $h) (i64.const 1))
			(i64.add (local.get $h) (i64.const 2))
			(i64.add (local.get $h) (i64.const 3))
			(i64.add (local.get $h) (i64.const 4))
			(i64.add (local.get $h) (i64.const 5))
			(i64.add (local.get $h) (i64.const 6))))
	(func $nine
		(param $i i64) (param $h i64) (param $a i64) (param $b i64) (param $c i64)
		(param $d i64) (param $e i64) (param $f i64) (param $g i64) (result i64)
		(return_call $fourteen
			(local.get $i)
			(call $mix (local.get $h) (local.get $a))
			(local.get $g) (local.get $f) (local.get $e) (local.get $d) (local.get $c)
			(local.get $b) (local.get $a) (local.get $b) (local.get $c) (local.get $d)
			(local.get $e)
			(f64.convert_i64_s (local.get $g))))
	(func $fourteen
		(param $i i64) (param $h i64) (param $a i64) (param $b i64) (param $c i64)
		(param $d i64) (param $e i64) (param $f i64) (param $g i64) (param $k i64)
		(param $l i64) (param $m i64) (param $n i64) (param $x f64) (result i64)
		(return_call $vector
			(local.get $i)
			(call $mix
				(i64.add (i64.add (local.get $h) (local.get $k)) (i64.sub (local.get $g) (local.get $n)))
				(i64.xor (i64.xor (local.get $a) (local.get $m)) (i64.reinterpret_f64 (local.get $x))))
			(i64x2.splat (local.get $b))
			(i64x2.splat (local.get $l))
			(local.get $x)))
	(func $vector
		(param $i i64) (param $h i64) (param $v v128) (param $w v128) (param $x f64)
		(result i64)
		(local.set $v (i64x2.mul (local.get $v) (local.get $w)))
		(local.set $h
			(call $mix (local.get $h)
				(i64.add (i64x2.extract_lane 1 (local.get $v)) (i64.reinterpret_f64 (local.get $x)))))
		(local.set $i (i64.sub (local.get $i) (i64.const 1)))
		(if (i64.eqz (i64.and (local.get $i) (i64.const 1)))
			(then
				(return_call_indirect $t (type $two) (local.get $i) (local.get $h) (i32.const 0))))
		(return_call $two (local.get $i) (local.get $h)))

	;; A loop in which a function with more arguments than it has itself is called
	;; in tail position
	(func $grow (param $i i64) (result i64)
		(return_call_indirect $t (type $nine)
			(local.get $i) (local.get $i) (local.get $i) (local.get $i) (local.get $i)
			(local.get $i) (local.get $i) (local.get $i) (local.get $i) (i32.const 1)))

	(func (export "tail_calls") (param $n i32) (result i64)
		(local $h i64)
		(if (global.get $inside)
			(then (drop (i32.trunc_f64_s (f64.const nan)))))
		(global.set $inside (i32.const 1))
		(local.set $h (call $grow (i64.extend_i32_s (local.get $n))))
		(global.set $inside (i32.const 0))
		(local.get $h))
)
