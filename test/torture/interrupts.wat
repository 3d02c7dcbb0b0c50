;; Guests that interrupts.pl interrupts.  Every export has a parameter, how often
;; its loop is passed (-1: for hours), and a result that depends on every pass.
;;
;; A guest that was stopped leaves $inside set.  The next call of an export must
;; not find it so: "enter" then ends by an error that none of the guests has
;; otherwise.

(module
	(memory $m 4 512)
	(data $d "0123456789abcdef0123456789abcdef")
	(table $t 16 64 funcref)
	(elem (table $t) (i32.const 0) func $add $multiply $rotate $xor)
	(elem $e func $add $multiply $rotate $xor)
	(type $binary (func (param i64 i64) (result i64)))
	(type $nullary (func))

	(global $inside (mut i32) (i32.const 0))
	(global $sum (mut i64) (i64.const 0))
	(global $lanes (mut v128) (v128.const i64x2 0 0))

	(func $enter
		(if (global.get $inside)
			(then (drop (i32.trunc_f64_s (f64.const nan)))))
		(global.set $inside (i32.const 1)))
	(func $leave
		(global.set $inside (i32.const 0)))

	;; 64 bits of passes: what is endless does not end soon
	(func $passes (param $n i32) (result i64)
		(i64.extend_i32_s (local.get $n)))

	(func $add (type $binary) (i64.add (local.get 0) (local.get 1)))
	(func $multiply (type $binary)
		(i64.mul (local.get 0) (i64.or (local.get 1) (i64.const 1))))
	(func $rotate (type $binary) (i64.rotl (local.get 0) (local.get 1)))
	(func $xor (type $binary) (i64.xor (local.get 0) (local.get 1)))
	(func $mix (param $h i64) (param $x i64) (result i64)
		(i64.rotl
			(i64.mul (i64.xor (local.get $h) (local.get $x)) (i64.const 0x9e3779b97f4a7c15))
			(i64.const 29)))

	;; --- nothing but a jump ---
	(func (export "spin") (param $n i32) (result i64)
		(call $enter)
		(loop $l (br $l))
		unreachable)

	;; --- as little as possible ---
	(func (export "tiny") (param $n i32) (result i64)
		(i64.add (i64.extend_i32_s (local.get $n)) (i64.const 1)))

	;; --- arithmetic: products, quotients, shifts, counts, selections ---
	(func (export "integers") (param $n i32) (result i64)
		(local $i i64) (local $h i64) (local $q i64)
		(call $enter)
		(local.set $i (call $passes (local.get $n)))
		(local.set $h (i64.const 1))
		(loop $l
			(local.set $q (i64.add (i64.shr_u (local.get $h) (i64.const 40)) (i64.const 3)))
			(local.set $h
				(i64.add
					(i64.mul (local.get $h) (i64.const 6364136223846793005))
					(i64.rem_u (local.get $i) (local.get $q))))
			(local.set $h
				(i64.xor (local.get $h) (i64.div_s (local.get $h) (local.get $q))))
			(local.set $h
				(i64.rotl
					(local.get $h)
					(i64.add (i64.clz (local.get $h)) (i64.popcnt (local.get $q)))))
			(local.set $h
				(select
					(i64.add (local.get $h) (local.get $i))
					(i64.sub (local.get $h) (local.get $q))
					(i64.lt_s (local.get $h) (i64.const 0))))
			(br_if $l
				(i64.ne
					(local.tee $i (i64.sub (local.get $i) (i64.const 1)))
					(i64.const 0))))
		(call $leave)
		(local.get $h))

	;; --- comparisons whose outcome decides on the way ---
	(func (export "branches") (param $n i32) (result i64)
		(local $i i64) (local $h i64)
		(call $enter)
		(local.set $i (call $passes (local.get $n)))
		(local.set $h (i64.const 88172645463325252))
		(loop $l
			(local.set $h (i64.xor (local.get $h) (i64.shl (local.get $h) (i64.const 13))))
			(local.set $h (i64.xor (local.get $h) (i64.shr_u (local.get $h) (i64.const 7))))
			(local.set $h (i64.xor (local.get $h) (i64.shl (local.get $h) (i64.const 17))))
			(block $four (block $three (block $two (block $one
				(br_table $one $two $three $four
					(i32.and (i32.wrap_i64 (local.get $h)) (i32.const 3))))
				(local.set $h (i64.add (local.get $h) (i64.const 3)))
				(br $four))
				(local.set $h (i64.sub (local.get $h) (local.get $i))))
				(if (i64.gt_u (local.get $h) (i64.const 0x8000000000000000))
					(then (local.set $h (i64.mul (local.get $h) (i64.const 5))))
					(else (local.set $h (i64.or (local.get $h) (i64.const 1))))))
			(br_if $l
				(i64.ne
					(local.tee $i (i64.sub (local.get $i) (i64.const 1)))
					(i64.const 0))))
		(call $leave)
		(local.get $h))

	;; --- floating point; no number that is not one ---
	(func (export "floats") (param $n i32) (result i64)
		(local $i i64) (local $x f64) (local $y f64) (local $z f32)
		(call $enter)
		(local.set $i (call $passes (local.get $n)))
		(local.set $x (f64.const 0.3))
		(local.set $y (f64.const 1.7))
		(loop $l
			(local.set $x
				(f64.mul
					(f64.const 3.9)
					(f64.mul (local.get $x) (f64.sub (f64.const 1) (local.get $x)))))
			(local.set $y
				(f64.add
					(f64.sqrt (f64.add (local.get $y) (local.get $x)))
					(f64.div (local.get $x) (f64.add (f64.const 1) (local.get $y)))))
			(local.set $z
				(f32.add
					(f32.mul (local.get $z) (f32.const 0.5))
					(f32.demote_f64 (local.get $y))))
			(br_if $l
				(i64.ne
					(local.tee $i (i64.sub (local.get $i) (i64.const 1)))
					(i64.const 0))))
		(call $leave)
		(i64.add
			(i64.xor
				(i64.reinterpret_f64 (local.get $x))
				(i64.rotl (i64.reinterpret_f64 (local.get $y)) (i64.const 7)))
			(i64.extend_i32_s (i32.reinterpret_f32 (local.get $z)))))

	;; --- recursion, in breadth and in depth ---
	(func $fibonacci (param $n i64) (result i64)
		(if (result i64) (i64.lt_s (local.get $n) (i64.const 2))
			(then (local.get $n))
			(else
				(i64.add
					(call $fibonacci (i64.sub (local.get $n) (i64.const 1)))
					(call $fibonacci (i64.sub (local.get $n) (i64.const 2)))))))
	(func $descend (param $depth i32) (param $h i64) (param $x f64) (result i64)
		(local $below i64)
		(if (i32.eqz (local.get $depth))
			(then (return (local.get $h))))
		(local.set $below
			(call $descend
				(i32.sub (local.get $depth) (i32.const 1))
				(call $mix (local.get $h) (i64.extend_i32_u (local.get $depth)))
				(f64.add (local.get $x) (f64.const 1))))
		(i64.add
			(call $mix (local.get $below) (local.get $h))
			(i64.trunc_f64_s (local.get $x))))
	(func $plunge (param $depth i32) (param $n i32) (param $h i64) (result i64)
		(local $i i64)
		(if (local.get $depth)
			(then
				(return
					(call $mix
						(local.get $h)
						(call $plunge
							(i32.sub (local.get $depth) (i32.const 1))
							(local.get $n)
							(i64.add (local.get $h) (i64.const 3)))))))
		(local.set $i (call $passes (local.get $n)))
		(loop $l
			(local.set $h (call $mix (local.get $h) (local.get $i)))
			(br_if $l
				(i64.ne
					(local.tee $i (i64.sub (local.get $i) (i64.const 1)))
					(i64.const 0))))
		(local.get $h))
	;; a loop far down the stack
	(func (export "deep") (param $n i32) (result i64)
		(local $h i64)
		(call $enter)
		(local.set $h (call $plunge (i32.const 4000) (local.get $n) (i64.const 1)))
		(call $leave)
		(local.get $h))
	(func (export "recursion") (param $n i32) (result i64)
		(local $i i64) (local $h i64)
		(call $enter)
		(local.set $i (call $passes (local.get $n)))
		(loop $l
			(local.set $h
				(call $mix
					(local.get $h)
					(i64.add
						(call $fibonacci (i64.and (local.get $i) (i64.const 7)))
						(call $descend (i32.const 300) (local.get $i) (f64.const 1)))))
			(br_if $l
				(i64.ne
					(local.tee $i (i64.sub (local.get $i) (i64.const 1)))
					(i64.const 0))))
		(call $leave)
		(local.get $h))

	;; --- memory: loads and stores of all sizes ---
	(func (export "memory") (param $n i32) (result i64)
		(local $i i64) (local $h i64) (local $a i32)
		(call $enter)
		(memory.fill (i32.const 0) (i32.const 0) (i32.const 0x10000))
		(local.set $i (call $passes (local.get $n)))
		(loop $l
			(local.set $a (i32.and (i32.wrap_i64 (local.get $h)) (i32.const 0xffe7)))
			(i64.store (local.get $a) (i64.add (i64.load (local.get $a)) (local.get $i)))
			(i32.store16 offset=3 (local.get $a) (i32.wrap_i64 (local.get $h)))
			(i64.store8 offset=7 (local.get $a) (local.get $i))
			(local.set $h
				(call $mix
					(i64.add (local.get $h) (i64.load32_s offset=1 (local.get $a)))
					(i64.load16_u offset=6 (local.get $a))))
			(br_if $l
				(i64.ne
					(local.tee $i (i64.sub (local.get $i) (i64.const 1)))
					(i64.const 0))))
		(call $leave)
		(local.get $h))

	;; --- bulk memory; the engine's own code does most of it ---
	(func (export "bulk") (param $n i32) (result i64)
		(local $i i64) (local $h i64) (local $a i32)
		(call $enter)
		(memory.fill (i32.const 0) (i32.const 0) (i32.const 8192))
		(local.set $i (call $passes (local.get $n)))
		(loop $l
			(local.set $a (i32.and (i32.wrap_i64 (local.get $h)) (i32.const 0x3ff)))
			(memory.fill (local.get $a) (i32.wrap_i64 (local.get $i)) (i32.const 3000))
			(memory.init $d (local.get $a) (i32.const 3) (i32.const 20))
			(memory.copy (i32.const 5000) (i32.const 1000) (local.get $a))
			(memory.copy (i32.const 1000) (i32.const 1007) (i32.const 100))
			(local.set $h
				(call $mix
					(i64.add (local.get $h) (local.get $i))
					(i64.load (i32.add (local.get $a) (i32.const 15)))))
			(br_if $l
				(i64.ne
					(local.tee $i (i64.sub (local.get $i) (i64.const 1)))
					(i64.const 0))))
		(call $leave)
		(local.get $h))

	;; large blocks: next to no time is spent in the guest's own code
	(func (export "blocks") (param $n i32) (result i64)
		(local $i i64) (local $h i64)
		(call $enter)
		(drop (memory.grow (i32.mul (i32.lt_u (memory.size) (i32.const 36)) (i32.const 32))))
		(local.set $i (call $passes (local.get $n)))
		(loop $l
			(memory.fill (i32.const 0x10000) (i32.wrap_i64 (local.get $i)) (i32.const 0x100000))
			(memory.copy (i32.const 0x108000) (i32.const 0x18000) (i32.const 0x100000))
			(local.set $h (call $mix (local.get $h) (i64.load (i32.const 0x110000))))
			(br_if $l
				(i64.ne
					(local.tee $i (i64.sub (local.get $i) (i64.const 1)))
					(i64.const 0))))
		(call $leave)
		(local.get $h))

	;; --- growing, up to the module's own limit and beyond ---
	(func (export "growth") (param $n i32) (result i64)
		(local $i i64) (local $h i64)
		(call $enter)
		(local.set $i (call $passes (local.get $n)))
		(loop $l
			(local.set $h
				(call $mix
					(local.get $h)
					(i64.add
						(local.get $i)
						(i64.extend_i32_u
							(i32.lt_s
								(memory.grow
									(i32.eqz (i32.wrap_i64 (i64.and (local.get $i) (i64.const 31)))))
								(i32.const -1))))))
			(local.set $h
				(i64.add (local.get $h) (i64.extend_i32_u (i32.gt_u (memory.size) (i32.const 3)))))
			(drop (table.grow $t (ref.func $add) (i32.wrap_i64 (i64.and (local.get $i) (i64.const 1)))))
			(table.fill $t (i32.const 8) (ref.func $xor) (i32.const 4))
			(table.copy $t $t (i32.const 9) (i32.const 7) (i32.const 3))
			(table.init $t $e (i32.const 10) (i32.const 1) (i32.const 3))
			(local.set $h
				(call_indirect $t (type $binary)
					(local.get $h) (local.get $i) (i32.const 11)))
			(br_if $l
				(i64.ne
					(local.tee $i (i64.sub (local.get $i) (i64.const 1)))
					(i64.const 0))))
		(call $leave)
		(local.get $h))

	;; --- indirect calls, of a table that changes ---
	(func (export "indirect") (param $n i32) (result i64)
		(local $i i64) (local $h i64)
		(call $enter)
		(local.set $i (call $passes (local.get $n)))
		(local.set $h (i64.const 12345))
		(loop $l
			(local.set $h
				(call_indirect $t (type $binary)
					(call $mix (local.get $h) (local.get $i))
					(local.get $i)
					(i32.and (i32.wrap_i64 (local.get $h)) (i32.const 3))))
			(table.set $t
				(i32.const 5)
				(table.get $t (i32.and (i32.wrap_i64 (local.get $i)) (i32.const 3))))
			(local.set $h
				(call_indirect $t (type $binary) (local.get $h) (local.get $i) (i32.const 5)))
			(br_if $l
				(i64.ne
					(local.tee $i (i64.sub (local.get $i) (i64.const 1)))
					(i64.const 0))))
		(call $leave)
		(local.get $h))

	;; --- globals, among them a vector ---
	(func (export "globals") (param $n i32) (result i64)
		(local $i i64)
		(call $enter)
		(global.set $sum (i64.const 0))
		(global.set $lanes (v128.const i64x2 1 2))
		(local.set $i (call $passes (local.get $n)))
		(loop $l
			(global.set $lanes
				(i64x2.add (global.get $lanes) (i64x2.splat (local.get $i))))
			(global.set $sum
				(call $mix
					(global.get $sum)
					(i64x2.extract_lane 1 (global.get $lanes))))
			(br_if $l
				(i64.ne
					(local.tee $i (i64.sub (local.get $i) (i64.const 1)))
					(i64.const 0))))
		(call $leave)
		(global.get $sum))

	;; --- vectors: more than there are registers live at a time, over calls too ---
	(func $blend (param $a v128) (param $b v128) (param $c v128) (result v128)
		(v128.bitselect
			(i32x4.add (local.get $a) (local.get $b))
			(i8x16.sub (local.get $b) (local.get $c))
			(local.get $c)))
	(func (export "vectors") (param $n i32) (result i64)
		(local $i i64)
		(local $a v128) (local $b v128) (local $c v128) (local $d v128)
		(local $e v128) (local $f v128) (local $g v128) (local $h v128)
		(local $p v128) (local $q v128) (local $r v128) (local $s v128)
		(local $t v128) (local $u v128) (local $v v128) (local $w v128)
		(local $x v128) (local $y v128)
		(call $enter)
		(local.set $i (call $passes (local.get $n)))
		(local.set $a (v128.const i32x4 1 2 3 4))
		(local.set $b (v128.const i32x4 0x9e3779b9 0x7f4a7c15 0xf39cc060 0x5cedc834))
		(local.set $x (v128.const f64x2 1.5 2.5))
		(local.set $y (v128.const f64x2 0.25 0.75))
		(loop $l
			(local.set $c (i32x4.add (local.get $a) (i32x4.splat (i32.wrap_i64 (local.get $i)))))
			(local.set $d (i32x4.mul (local.get $b) (local.get $c)))
			(local.set $e (v128.xor (local.get $d) (i32x4.shl (local.get $c) (i32.const 5))))
			(local.set $f
				(i8x16.shuffle 3 7 11 15 19 23 27 31 0 4 8 12 16 20 24 28
					(local.get $e) (local.get $d)))
			(local.set $g (i16x8.mul (local.get $f) (local.get $e)))
			(local.set $h (i64x2.add (local.get $g) (local.get $d)))
			(local.set $p (i8x16.avgr_u (local.get $h) (local.get $f)))
			(local.set $q (i16x8.sub_sat_s (local.get $p) (local.get $g)))
			(local.set $r (v128.andnot (local.get $q) (local.get $c)))
			(local.set $s (i32x4.dot_i16x8_s (local.get $r) (local.get $h)))
			(local.set $t (i8x16.swizzle (local.get $s) (local.get $f)))
			(local.set $u (call $blend (local.get $t) (local.get $h) (local.get $q)))
			(local.set $v (i64x2.mul (local.get $u) (local.get $d)))
			(local.set $w (i32x4.max_s (local.get $v) (local.get $s)))
			(local.set $x
				(f64x2.sqrt (f64x2.add (local.get $x) (f64x2.convert_low_i32x4_u (local.get $w)))))
			(local.set $y (f64x2.pmin (f64x2.mul (local.get $y) (f64x2.splat (f64.const 1.01))) (local.get $x)))
			(local.set $a
				(v128.xor
					(v128.xor (local.get $u) (local.get $v))
					(v128.xor (local.get $w) (local.get $x))))
			(local.set $b
				(i32x4.add
					(v128.or (local.get $p) (local.get $t))
					(v128.xor (local.get $r) (local.get $y))))
			(br_if $l
				(i64.ne
					(local.tee $i (i64.sub (local.get $i) (i64.const 1)))
					(i64.const 0))))
		(call $leave)
		(i64.xor
			(i64.add
				(i64x2.extract_lane 0 (local.get $a))
				(i64x2.extract_lane 1 (local.get $b)))
			(i64x2.extract_lane 1 (v128.xor (local.get $a) (local.get $y)))))

	;; --- arguments and results on the stack ---
	(func $many
		(param i64 i32 f64 f32 v128 i64 i32 f64 f32 v128 i64 i32 f64 f32 v128 i64
			i32 f64 f32 v128 i64 i32 f64 f32 v128 i64 i32 f64 f32 v128 i64 i64)
		(result i64 f64 i32 f32 v128 i64 i64 i64 f64 i32 v128 i64)
		(call $mix (local.get 0) (local.get 31))
		(f64.add (local.get 2) (local.get 7))
		(i32.add (local.get 1) (local.get 26))
		(f32.add (local.get 3) (local.get 28))
		(i64x2.add (local.get 4) (local.get 29))
		(call $mix (local.get 5) (local.get 30))
		(i64.add (local.get 10) (local.get 15))
		(i64.sub (local.get 20) (local.get 25))
		(f64.sub (local.get 12) (local.get 27))
		(i32.xor (local.get 6) (local.get 21))
		(v128.xor (local.get 9) (local.get 24))
		(i64.extend_i32_s (i32.sub (local.get 11) (local.get 16))))
	(func $call_many (param $h i64) (param $i i64) (result i64)
		(local $j i32) (local $x f64) (local $y f32) (local $v v128)
		(local $r1 i64) (local $r2 f64) (local $r3 i32) (local $r4 f32) (local $r5 v128)
		(local $r6 i64) (local $r7 i64) (local $r8 i64) (local $r9 f64) (local $r10 i32)
		(local $r11 v128) (local $r12 i64)
		(local.set $j (i32.wrap_i64 (local.get $h)))
		(local.set $x (f64.convert_i32_s (local.get $j)))
		(local.set $y (f32.convert_i32_s (i32.and (local.get $j) (i32.const 0xffff))))
		(local.set $v (i64x2.splat (local.get $h)))
		(call $many
			(local.get $h) (local.get $j) (local.get $x) (local.get $y) (local.get $v)
			(local.get $i) (local.get $j) (local.get $x) (local.get $y) (local.get $v)
			(local.get $h) (local.get $j) (local.get $x) (local.get $y) (local.get $v)
			(local.get $i) (local.get $j) (local.get $x) (local.get $y) (local.get $v)
			(local.get $h) (local.get $j) (local.get $x) (local.get $y) (local.get $v)
			(local.get $i) (local.get $j) (local.get $x) (local.get $y) (local.get $v)
			(local.get $h) (local.get $i))
		(local.set $r12) (local.set $r11) (local.set $r10) (local.set $r9)
		(local.set $r8) (local.set $r7) (local.set $r6) (local.set $r5)
		(local.set $r4) (local.set $r3) (local.set $r2) (local.set $r1)
		(call $mix
			(call $mix
				(call $mix
					(i64.add (local.get $r1) (i64.reinterpret_f64 (local.get $r2)))
					(i64.add
						(i64.extend_i32_s (local.get $r3))
						(i64.extend_i32_s (i32.reinterpret_f32 (local.get $r4)))))
				(call $mix
					(i64x2.extract_lane 1 (local.get $r5))
					(i64.add (i64.add (local.get $r6) (local.get $r7)) (local.get $r8))))
			(i64.add
				(i64.add
					(i64.reinterpret_f64 (local.get $r9))
					(i64.extend_i32_s (local.get $r10)))
				(i64.add (i64x2.extract_lane 0 (local.get $r11)) (local.get $r12)))))
	(func (export "arguments") (param $n i32) (result i64)
		(local $i i64) (local $h i64)
		(call $enter)
		(local.set $i (call $passes (local.get $n)))
		(loop $l
			(local.set $h (call $call_many (local.get $h) (local.get $i)))
			(br_if $l
				(i64.ne
					(local.tee $i (i64.sub (local.get $i) (i64.const 1)))
					(i64.const 0))))
		(call $leave)
		(local.get $h))

	;; The same from outside
	(func (export "wide")
		(param $n i32) (param i64 i32 f64 f32 v128 i64 i32 f64 f32 v128 i64 i64)
		(result i64 f64 i32 f32 v128 i64)
		(local $i i64)
		(call $enter)
		(local.set $i (call $passes (local.get $n)))
		(loop $l
			(local.set 1 (call $mix (local.get 1) (local.get $i)))
			(local.set 5 (i64x2.add (local.get 5) (local.get 10)))
			(br_if $l
				(i64.ne
					(local.tee $i (i64.sub (local.get $i) (i64.const 1)))
					(i64.const 0))))
		(call $leave)
		(i64.add (local.get 1) (local.get 11))
		(f64.add (local.get 3) (local.get 8))
		(i32.add (local.get 2) (local.get 7))
		(f32.add (local.get 4) (local.get 9))
		(local.get 5)
		(i64.add (local.get 6) (local.get 12)))

	;; --- traps after some passes ---
	(func $busy (param $n i32)
		(local $i i64) (local $h i64)
		(call $enter)
		(local.set $i (call $passes (local.get $n)))
		(loop $l
			(local.set $h (call $mix (local.get $h) (local.get $i)))
			(br_if $l
				(i64.ge_s
					(local.tee $i (i64.sub (local.get $i) (i64.const 1)))
					(i64.const 0))))
		(global.set $sum (local.get $h)))
	(func (export "trap_unreachable") (param $n i32) (result i64)
		(call $busy (local.get $n))
		unreachable)
	(func (export "trap_division") (param $n i32) (result i64)
		(call $busy (local.get $n))
		(i64.div_u (global.get $sum) (i64.const 0)))
	(func (export "trap_load") (param $n i32) (result i64)
		(call $busy (local.get $n))
		(i64.load (i32.const -8)))
	(func (export "trap_store") (param $n i32) (result i64)
		(call $busy (local.get $n))
		(v128.store (i32.const 0x2000000) (global.get $lanes))
		(i64.const 0))
	(func (export "trap_bulk") (param $n i32) (result i64)
		(call $busy (local.get $n))
		(memory.fill (i32.const 0) (i32.const 1) (i32.const -1))
		(i64.const 0))
	(func (export "trap_indirect") (param $n i32) (result i64)
		(call $busy (local.get $n))
		(call_indirect $t (type $nullary) (i32.const 0))
		(i64.const 0))
	(func $endless (param $h i64) (result i64)
		(i64.add (local.get $h) (call $endless (call $mix (local.get $h) (i64.const 1)))))
	(func (export "trap_stack") (param $n i32) (result i64)
		(call $busy (local.get $n))
		(call $endless (i64.const 1)))
)
