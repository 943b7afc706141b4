;; The loops of resample.ts on 8-bit R,G,B, four 32-bit numbers at a time. Reads and writes end up to 15 bytes too late.
(module
  (memory (export "memory") 1)

  ;; Every row to `length` pixels: out[y, x] = sum over k of table[x, k] in[y, first[x] + k], rounded to 8 bits. Taps go in pairs: the
  ;; upper halves of two weights (over 2^11), then their lower 11 bits, each as two 16-bit numbers; `count` counts pairs.
  (func (export "across") (param $in i32) (param $inRow i32) (param $rows i32)
    (param $first i32) (param $count i32) (param $table i32) (param $pairs i32) (param $length i32) (param $out i32)
    (local $y i32) (local $x i32) (local $from i32) (local $weight i32) (local $end i32)
    (local $two v128) (local $high v128) (local $low v128)
    (loop $row
      (local.set $x (i32.const 0))
      (loop $pixel
        (local.set $from (i32.add (local.get $in)
          (i32.mul (i32.const 3) (i32.load (i32.add (local.get $first) (i32.shl (local.get $x) (i32.const 2)))))))
        (local.set $weight (i32.add (local.get $table) (i32.shl (i32.mul (local.get $x) (local.get $pairs)) (i32.const 3))))
        (local.set $end (i32.add (local.get $weight)
          (i32.shl (i32.load (i32.add (local.get $count) (i32.shl (local.get $x) (i32.const 2)))) (i32.const 3))))
        (local.set $high (v128.const i32x4 0 0 0 0))
        (local.set $low (v128.const i32x4 0x200000 0x200000 0x200000 0x200000)) ;; a half
        (loop $pair
          (local.set $two (i8x16.swizzle (v128.load64_zero (local.get $from)) ;; r r g g b b as 16-bit numbers
            (v128.const i8x16 0 128 3 128 1 128 4 128 2 128 5 128 128 128 128 128)))
          (local.set $high (i32x4.add (local.get $high)
            (i32x4.dot_i16x8_s (local.get $two) (v128.load32_splat (local.get $weight)))))
          (local.set $low (i32x4.add (local.get $low)
            (i32x4.dot_i16x8_s (local.get $two) (v128.load32_splat offset=4 (local.get $weight)))))
          (local.set $from (i32.add (local.get $from) (i32.const 6)))
          (local.set $weight (i32.add (local.get $weight) (i32.const 8)))
          (br_if $pair (i32.lt_u (local.get $weight) (local.get $end))))
        (local.set $low (i32x4.shr_s
          (i32x4.add (local.get $low) (i32x4.shl (local.get $high) (i32.const 11))) (i32.const 22)))
        (local.set $low (i16x8.narrow_i32x4_s (local.get $low) (local.get $low)))
        (v128.store32_lane 0 (local.get $out) (i8x16.narrow_i16x8_u (local.get $low) (local.get $low)))
        (local.set $out (i32.add (local.get $out) (i32.const 3)))
        (br_if $pixel (i32.lt_u (local.tee $x (i32.add (local.get $x) (i32.const 1))) (local.get $length))))
      (local.set $in (i32.add (local.get $in) (local.get $inRow)))
      (br_if $row (i32.lt_u (local.tee $y (i32.add (local.get $y) (i32.const 1))) (local.get $rows)))))

  ;; `length` rows of `row` bytes: out[y] = sum over k < count[y] of table[y, k] in[first[y] + k], rounded to 8 bits.
  (func (export "down") (param $in i32) (param $row i32)
    (param $first i32) (param $count i32) (param $table i32) (param $taps i32) (param $length i32) (param $out i32)
    (local $y i32) (local $x i32) (local $from i32) (local $start i32) (local $weight i32) (local $end i32)
    (local $bytes v128) (local $low v128) (local $high v128) (local $w v128)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (loop $line
      (local.set $start (i32.add (local.get $in)
        (i32.mul (local.get $row) (i32.load (i32.add (local.get $first) (i32.shl (local.get $y) (i32.const 2)))))))
      (local.set $x (i32.const 0))
      (loop $block
        (local.set $from (i32.add (local.get $start) (local.get $x)))
        (local.set $weight (i32.add (local.get $table) (i32.shl (i32.mul (local.get $y) (local.get $taps)) (i32.const 2))))
        (local.set $end (i32.add (local.get $weight)
          (i32.shl (i32.load (i32.add (local.get $count) (i32.shl (local.get $y) (i32.const 2)))) (i32.const 2))))
        (local.set $a (v128.const i32x4 0x200000 0x200000 0x200000 0x200000))
        (local.set $b (local.get $a))
        (local.set $c (local.get $a))
        (local.set $d (local.get $a))
        (loop $tap
          (local.set $bytes (v128.load (local.get $from)))
          (local.set $w (v128.load32_splat (local.get $weight)))
          (local.set $low (i16x8.extend_low_i8x16_u (local.get $bytes)))
          (local.set $high (i16x8.extend_high_i8x16_u (local.get $bytes)))
          (local.set $a (i32x4.add (local.get $a) (i32x4.mul (local.get $w) (i32x4.extend_low_i16x8_u (local.get $low)))))
          (local.set $b (i32x4.add (local.get $b) (i32x4.mul (local.get $w) (i32x4.extend_high_i16x8_u (local.get $low)))))
          (local.set $c (i32x4.add (local.get $c) (i32x4.mul (local.get $w) (i32x4.extend_low_i16x8_u (local.get $high)))))
          (local.set $d (i32x4.add (local.get $d) (i32x4.mul (local.get $w) (i32x4.extend_high_i16x8_u (local.get $high)))))
          (local.set $from (i32.add (local.get $from) (local.get $row)))
          (local.set $weight (i32.add (local.get $weight) (i32.const 4)))
          (br_if $tap (i32.lt_u (local.get $weight) (local.get $end))))
        (v128.store (i32.add (local.get $out) (local.get $x)) (i8x16.narrow_i16x8_u
          (i16x8.narrow_i32x4_s
            (i32x4.shr_s (local.get $a) (i32.const 22)) (i32x4.shr_s (local.get $b) (i32.const 22)))
          (i16x8.narrow_i32x4_s
            (i32x4.shr_s (local.get $c) (i32.const 22)) (i32x4.shr_s (local.get $d) (i32.const 22)))))
        (br_if $block (i32.lt_u (local.tee $x (i32.add (local.get $x) (i32.const 16))) (local.get $row))))
      (local.set $out (i32.add (local.get $out) (local.get $row)))
      (br_if $line (i32.lt_u (local.tee $y (i32.add (local.get $y) (i32.const 1))) (local.get $length)))))

  ;; `count` pixels to values over 255, a plane of red, one of green and one of blue, `plane` bytes apart.
  (func (export "planes") (param $in i32) (param $count i32) (param $out i32) (param $plane i32)
    (local $end i32) (local $bytes v128) (local $levels v128)
    (local.set $levels (f32x4.splat (f32.const 255)))
    (local.set $end (i32.add (local.get $in) (i32.mul (local.get $count) (i32.const 3))))
    (loop $four
      (local.set $bytes (v128.load (local.get $in)))
      (v128.store (local.get $out) (f32x4.div (f32x4.convert_i32x4_u (i8x16.swizzle (local.get $bytes)
        (v128.const i8x16 0 128 128 128 3 128 128 128 6 128 128 128 9 128 128 128))) (local.get $levels)))
      (v128.store (i32.add (local.get $out) (local.get $plane))
        (f32x4.div (f32x4.convert_i32x4_u (i8x16.swizzle (local.get $bytes)
        (v128.const i8x16 1 128 128 128 4 128 128 128 7 128 128 128 10 128 128 128))) (local.get $levels)))
      (v128.store (i32.add (local.get $out) (i32.shl (local.get $plane) (i32.const 1)))
        (f32x4.div (f32x4.convert_i32x4_u (i8x16.swizzle (local.get $bytes)
        (v128.const i8x16 2 128 128 128 5 128 128 128 8 128 128 128 11 128 128 128))) (local.get $levels)))
      (local.set $out (i32.add (local.get $out) (i32.const 16)))
      (br_if $four (i32.lt_u (local.tee $in (i32.add (local.get $in) (i32.const 12))) (local.get $end))))))
