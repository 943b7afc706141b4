;; Cholesky's factor and what it solves (cholesky.ts), two doubles at a time. Matrices lie row by row, a row in `stride` bytes.
(module
  (memory (export "memory") 1)

  ;; x . y over `count` doubles
  (func $dot (param $x i32) (param $y i32) (param $count i32) (result f64)
    (local $end i32) (local $a v128) (local $b v128) (local $sum f64)
    (local.set $end (i32.add (local.get $x) (i32.shl (i32.and (local.get $count) (i32.const -4)) (i32.const 3))))
    (block $pairs
      (br_if $pairs (i32.ge_u (local.get $x) (local.get $end)))
      (loop $four
        (local.set $a (f64x2.add (local.get $a) (f64x2.mul (v128.load (local.get $x)) (v128.load (local.get $y)))))
        (local.set $b (f64x2.add (local.get $b) (f64x2.mul (v128.load offset=16 (local.get $x)) (v128.load offset=16 (local.get $y)))))
        (local.set $x (i32.add (local.get $x) (i32.const 32)))
        (local.set $y (i32.add (local.get $y) (i32.const 32)))
        (br_if $four (i32.lt_u (local.get $x) (local.get $end)))))
    (local.set $a (f64x2.add (local.get $a) (local.get $b)))
    (local.set $sum (f64.add (f64x2.extract_lane 0 (local.get $a)) (f64x2.extract_lane 1 (local.get $a))))
    (local.set $end (i32.add (local.get $x) (i32.shl (i32.and (local.get $count) (i32.const 3)) (i32.const 3))))
    (block $done
      (br_if $done (i32.ge_u (local.get $x) (local.get $end)))
      (loop $one
        (local.set $sum (f64.add (local.get $sum) (f64.mul (f64.load (local.get $x)) (f64.load (local.get $y)))))
        (local.set $x (i32.add (local.get $x) (i32.const 8)))
        (local.set $y (i32.add (local.get $y) (i32.const 8)))
        (br_if $one (i32.lt_u (local.get $x) (local.get $end)))))
    (local.get $sum))

  ;; L of A = L L^T [n, n] in the place of A's lower half; 0 where A is not positive, and then nothing is whole.
  (func (export "factor") (param $A i32) (param $n i32) (param $stride i32) (result i32)
    (local $i i32) (local $j i32) (local $row i32) (local $other i32) (local $at i32) (local $v f64)
    (local.set $row (local.get $A))
    (loop $rows
      (local.set $j (i32.const 0))
      (local.set $other (local.get $A))
      (local.set $at (local.get $row))
      (loop $columns
        (local.set $v (f64.sub (f64.load (local.get $at)) (call $dot (local.get $row) (local.get $other) (local.get $j))))
        (if (i32.lt_u (local.get $j) (local.get $i))
          (then
            (f64.store (local.get $at)
              (f64.div (local.get $v) (f64.load (i32.add (local.get $other) (i32.shl (local.get $j) (i32.const 3)))))))
          (else
            (if (i32.eqz (f64.gt (local.get $v) (f64.const 0))) (then (return (i32.const 0))))
            (f64.store (local.get $at) (f64.sqrt (local.get $v)))))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))
        (local.set $other (i32.add (local.get $other) (local.get $stride)))
        (local.set $j (i32.add (local.get $j) (i32.const 1)))
        (br_if $columns (i32.le_u (local.get $j) (local.get $i))))
      (local.set $row (i32.add (local.get $row) (local.get $stride)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $rows (i32.lt_u (local.get $i) (local.get $n))))
    (i32.const 1))

  ;; x of L L^T x = b for eight b at once, in their place: [n, 8], so that each value of L is used eight times.
  (func (export "solve") (param $L i32) (param $b i32) (param $n i32) (param $stride i32)
    (local $i i32) (local $row i32) (local $l i32) (local $x i32) (local $at i32) (local $v v128)
    (local $p v128) (local $q v128) (local $r v128) (local $s v128)
    (if (i32.eqz (local.get $n)) (then (return)))
    ;; L y = b: row i less what L's row makes of the rows before it
    (local.set $row (local.get $L))
    (local.set $at (local.get $b))
    (loop $forth
      (local.set $p (v128.load (local.get $at)))
      (local.set $q (v128.load offset=16 (local.get $at)))
      (local.set $r (v128.load offset=32 (local.get $at)))
      (local.set $s (v128.load offset=48 (local.get $at)))
      (local.set $l (local.get $row))
      (local.set $x (local.get $b))
      (block $none
        (br_if $none (i32.ge_u (local.get $x) (local.get $at)))
        (loop $before
          (local.set $v (v128.load64_splat (local.get $l)))
          (local.set $p (f64x2.sub (local.get $p) (f64x2.mul (local.get $v) (v128.load (local.get $x)))))
          (local.set $q (f64x2.sub (local.get $q) (f64x2.mul (local.get $v) (v128.load offset=16 (local.get $x)))))
          (local.set $r (f64x2.sub (local.get $r) (f64x2.mul (local.get $v) (v128.load offset=32 (local.get $x)))))
          (local.set $s (f64x2.sub (local.get $s) (f64x2.mul (local.get $v) (v128.load offset=48 (local.get $x)))))
          (local.set $l (i32.add (local.get $l) (i32.const 8)))
          (local.set $x (i32.add (local.get $x) (i32.const 64)))
          (br_if $before (i32.lt_u (local.get $x) (local.get $at)))))
      (local.set $v (v128.load64_splat (local.get $l)))
      (v128.store (local.get $at) (f64x2.div (local.get $p) (local.get $v)))
      (v128.store offset=16 (local.get $at) (f64x2.div (local.get $q) (local.get $v)))
      (v128.store offset=32 (local.get $at) (f64x2.div (local.get $r) (local.get $v)))
      (v128.store offset=48 (local.get $at) (f64x2.div (local.get $s) (local.get $v)))
      (local.set $row (i32.add (local.get $row) (local.get $stride)))
      (local.set $at (i32.add (local.get $at) (i32.const 64)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $forth (i32.lt_u (local.get $i) (local.get $n))))
    ;; L^T x = y, from the last row: what is known of it is taken from all rows before it
    (loop $back
      (local.set $row (i32.sub (local.get $row) (local.get $stride)))
      (local.set $at (i32.sub (local.get $at) (i32.const 64)))
      (local.set $i (i32.sub (local.get $i) (i32.const 1)))
      (local.set $v (v128.load64_splat (i32.add (local.get $row) (i32.shl (local.get $i) (i32.const 3)))))
      (local.set $p (f64x2.div (v128.load (local.get $at)) (local.get $v)))
      (local.set $q (f64x2.div (v128.load offset=16 (local.get $at)) (local.get $v)))
      (local.set $r (f64x2.div (v128.load offset=32 (local.get $at)) (local.get $v)))
      (local.set $s (f64x2.div (v128.load offset=48 (local.get $at)) (local.get $v)))
      (v128.store (local.get $at) (local.get $p))
      (v128.store offset=16 (local.get $at) (local.get $q))
      (v128.store offset=32 (local.get $at) (local.get $r))
      (v128.store offset=48 (local.get $at) (local.get $s))
      (local.set $l (local.get $row))
      (local.set $x (local.get $b))
      (block $first
        (br_if $first (i32.ge_u (local.get $x) (local.get $at)))
        (loop $before
          (local.set $v (v128.load64_splat (local.get $l)))
          (v128.store (local.get $x) (f64x2.sub (v128.load (local.get $x)) (f64x2.mul (local.get $v) (local.get $p))))
          (v128.store offset=16 (local.get $x) (f64x2.sub (v128.load offset=16 (local.get $x)) (f64x2.mul (local.get $v) (local.get $q))))
          (v128.store offset=32 (local.get $x) (f64x2.sub (v128.load offset=32 (local.get $x)) (f64x2.mul (local.get $v) (local.get $r))))
          (v128.store offset=48 (local.get $x) (f64x2.sub (v128.load offset=48 (local.get $x)) (f64x2.mul (local.get $v) (local.get $s))))
          (local.set $l (i32.add (local.get $l) (i32.const 8)))
          (local.set $x (i32.add (local.get $x) (i32.const 64)))
          (br_if $before (i32.lt_u (local.get $x) (local.get $at)))))
      (br_if $back (local.get $i)))))
