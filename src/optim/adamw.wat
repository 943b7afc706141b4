;; AdamW's loop (adamw.ts), four float32 values at a time, every operation rounded to float32 as PyTorch's is.
(module
  (memory (export "memory") 4)

  ;; p, m, v in place and g: `count` values each, to which up to three behind the last are added.
  (func (export "step") (param $p i32) (param $m i32) (param $v i32) (param $g i32) (param $count i32)
    (param $clip f32) (param $b1 f32) (param $rest1 f32) (param $b2 f32) (param $rest2 f32)
    (param $keep f32) (param $step f32) (param $root f32) (param $eps f32)
    (local $end i32) (local $gi v128) (local $mi v128) (local $vi v128)
    (local.set $end (i32.add (local.get $p) (i32.shl (local.get $count) (i32.const 2))))
    (loop $four
      ;; gi = g clip
      (local.set $gi (f32x4.mul (v128.load (local.get $g)) (f32x4.splat (local.get $clip))))
      ;; m = b1 m + (1 - b1) gi
      (local.set $mi (f32x4.add
        (f32x4.mul (f32x4.splat (local.get $b1)) (v128.load (local.get $m)))
        (f32x4.mul (f32x4.splat (local.get $rest1)) (local.get $gi))))
      ;; v = b2 v + (1 - b2) gi gi
      (local.set $vi (f32x4.add
        (f32x4.mul (f32x4.splat (local.get $b2)) (v128.load (local.get $v)))
        (f32x4.mul (f32x4.mul (f32x4.splat (local.get $rest2)) (local.get $gi)) (local.get $gi))))
      (v128.store (local.get $m) (local.get $mi))
      (v128.store (local.get $v) (local.get $vi))
      ;; p = keep p - step m / (sqrt(v) root + eps)
      (v128.store (local.get $p) (f32x4.sub
        (f32x4.mul (f32x4.splat (local.get $keep)) (v128.load (local.get $p)))
        (f32x4.div
          (f32x4.mul (f32x4.splat (local.get $step)) (local.get $mi))
          (f32x4.add (f32x4.mul (f32x4.sqrt (local.get $vi)) (f32x4.splat (local.get $root))) (f32x4.splat (local.get $eps))))))
      (local.set $p (i32.add (local.get $p) (i32.const 16)))
      (local.set $m (i32.add (local.get $m) (i32.const 16)))
      (local.set $v (i32.add (local.get $v) (i32.const 16)))
      (local.set $g (i32.add (local.get $g) (i32.const 16)))
      (br_if $four (i32.lt_u (local.get $p) (local.get $end))))))
