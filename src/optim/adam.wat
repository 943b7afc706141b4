;; The loop of adam.ts, two values at a time, in double precision between float32 values as JavaScript reckons it: the bits are the same.
(module
  (memory (export "memory") 1)

  ;; p, m, v in place and g, `count` float32 values each. An odd count touches one value behind the last.
  (func (export "step") (param $p i32) (param $m i32) (param $v i32) (param $g i32) (param $count i32)
    (param $clip f64) (param $decay f64) (param $b1 f64) (param $rest1 f64) (param $b2 f64) (param $rest2 f64)
    (param $keep f64) (param $step f64) (param $root f64) (param $eps f64)
    (local $end i32) (local $pi v128) (local $gi v128) (local $mi v128) (local $vi v128)
    (local.set $end (i32.add (local.get $p) (i32.shl (local.get $count) (i32.const 2))))
    (loop $two
      ;; gi = g clip + decay p
      (local.set $pi (f64x2.promote_low_f32x4 (v128.load64_zero (local.get $p))))
      (local.set $gi (f64x2.add
        (f64x2.mul (f64x2.promote_low_f32x4 (v128.load64_zero (local.get $g))) (f64x2.splat (local.get $clip)))
        (f64x2.mul (f64x2.splat (local.get $decay)) (local.get $pi))))
      ;; m = b1 m + (1 - b1) gi
      (local.set $mi (f64x2.add
        (f64x2.mul (f64x2.splat (local.get $b1)) (f64x2.promote_low_f32x4 (v128.load64_zero (local.get $m))))
        (f64x2.mul (f64x2.splat (local.get $rest1)) (local.get $gi))))
      ;; v = b2 v + (1 - b2) gi gi
      (local.set $vi (f64x2.add
        (f64x2.mul (f64x2.splat (local.get $b2)) (f64x2.promote_low_f32x4 (v128.load64_zero (local.get $v))))
        (f64x2.mul (f64x2.mul (f64x2.splat (local.get $rest2)) (local.get $gi)) (local.get $gi))))
      (v128.store64_lane 0 (local.get $m) (f32x4.demote_f64x2_zero (local.get $mi)))
      (v128.store64_lane 0 (local.get $v) (f32x4.demote_f64x2_zero (local.get $vi)))
      ;; p = keep p - step m / (sqrt(v) root + eps)
      (v128.store64_lane 0 (local.get $p) (f32x4.demote_f64x2_zero (f64x2.sub
        (f64x2.mul (f64x2.splat (local.get $keep)) (local.get $pi))
        (f64x2.div
          (f64x2.mul (f64x2.splat (local.get $step)) (local.get $mi))
          (f64x2.add (f64x2.mul (f64x2.sqrt (local.get $vi)) (f64x2.splat (local.get $root))) (f64x2.splat (local.get $eps)))))))
      (local.set $p (i32.add (local.get $p) (i32.const 8)))
      (local.set $m (i32.add (local.get $m) (i32.const 8)))
      (local.set $v (i32.add (local.get $v) (i32.const 8)))
      (local.set $g (i32.add (local.get $g) (i32.const 8)))
      (br_if $two (i32.lt_u (local.get $p) (local.get $end))))))
