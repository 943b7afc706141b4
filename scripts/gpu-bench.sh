#!/usr/bin/env bash
# bench/gpu.ts and the tests of test/gpu on a machine with a GPU and without a network, to which the working tree comes and of what git ignores
# some MiB at a time (TBAR_PIECE, 48).
#   here:  scripts/gpu-bench.sh pack [FOLDER]   Node, packages, and from FOLDER libonnxruntime_providers_{cuda,shared}.so, in runs/gpu-bench/piece.*
#   there: scripts/gpu-bench.sh take            once for each piece that came, in any order: it is put by in ~/.tbar-gpu
#   there: scripts/gpu-bench.sh run DEVICE ...  puts the pieces together and runs bench/gpu.ts --device DEVICE ...; results go to $OUT
#   there: scripts/gpu-bench.sh test DEVICE     likewise, and runs the tests
# FOLDER: where the CUDA files lie, of onnxruntime-node's own version (ONNXRUNTIME_NODE_INSTALL=cuda12 npm install onnxruntime-node@1.30.0 puts them
# into bin/napi-v6/linux/x64, for CUDA 12; the wheel onnxruntime-gpu 1.30.0 has them in onnxruntime/capi, for CUDA 13). CUDA and cuDNN are those
# that PyTorch brought there.
set -euo pipefail
cd "$(dirname "$0")/.."
pieces=runs/gpu-bench
far=${TBAR_FAR:-$HOME/.tbar-gpu}

case ${1:-} in
pack)
  stage=$(mktemp -d)
  trap 'rm -rf "$stage"' EXIT
  rm -rf $pieces
  mkdir -p $pieces
  cp "$(node -p process.execPath)" "$stage/node"
  git rev-parse HEAD >"$stage/commit"
  # what runs bench/gpu.ts and the tests; no build tools, no other platforms
  tar -c --exclude='napi-v6/darwin' --exclude='napi-v6/win32' --exclude='linux/arm64' --exclude='node_modules/.cache' \
    --exclude='node_modules/@biomejs' --exclude='node_modules/@typescript' --exclude='node_modules/typescript' --exclude='node_modules/@img' \
    --exclude='node_modules/playwright-core' --exclude='node_modules/wabt' --exclude='node_modules/bullmq' node_modules | tar -x -C "$stage"
  if [ -n "${2:-}" ]; then
    cp "$2"/libonnxruntime_providers_{cuda,shared}.so "$stage/node_modules/onnxruntime-node/bin/napi-v6/linux/x64/"
  fi
  tar -c -C "$stage" . | xz -6 -T0 | split -b ${TBAR_PIECE:-48}M - $pieces/piece.
  (cd $pieces && sha256sum piece.* | tee sums)
  ;;
take)
  mkdir -p "$far"
  cp $pieces/sums $pieces/piece.* "$far/"
  ls "$far"
  ;;
run | test)
  if [ ! -x "$far/whole/node" ]; then
    (cd "$far" && sha256sum --quiet -c sums)
    mkdir -p "$far/whole"
    unxz=(xz -d)
    command -v xz >/dev/null || unxz=(python3 -c 'import lzma, shutil, sys; shutil.copyfileobj(lzma.open(sys.stdin.buffer), sys.stdout.buffer)')
    cat "$far"/piece.* | "${unxz[@]}" | tar -x -C "$far/whole"
  fi
  rm -rf node_modules
  ln -s "$far/whole/node_modules" node_modules
  # the libraries that PyTorch's packages brought
  python=${TBAR_PYTHON:-python3}
  libraries=$("$python" -c 'import glob, os, sysconfig; print(":".join(glob.glob(os.path.join(sysconfig.get_paths()["purelib"], "nvidia", "*", "lib"))))' || true)
  export LD_LIBRARY_PATH="$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
  export TBAR_COMMIT=${TBAR_COMMIT:-$(cat "$far/whole/commit")}
  export TBAR_RESULTS=${TBAR_RESULTS:-${OUT:-results/bench}}
  program=(bench/gpu.ts --device)
  [ "$1" = run ] || program=(test/gpu/run.ts)
  exec "$far/whole/node" node_modules/jiti/lib/jiti-cli.mjs "${program[@]}" "${@:2}"
  ;;
*)
  sed -n '2,11s/^# \{0,1\}//p' "$0"
  exit 2
  ;;
esac
