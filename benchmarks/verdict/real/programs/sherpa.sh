#!/bin/bash
# sherpa.sh FOLDER PORT PYTHON SERVER: sherpa-onnx's WebSocket server with the tiny model of this project.
# PYTHON has soak, SERVER is the program sherpa-onnx-online-websocket-server.
set -e
preload=$LD_PRELOAD
unset LD_PRELOAD
"$3" -c "
import pathlib, sys
from asr_server.paraformer.catalog import ONLINE, resolve_model
from benchmarks.serving import sherpa_model
sherpa_model.export(resolve_model('tiny') / ONLINE, pathlib.Path(sys.argv[1]))
" "$1/model"
export LD_PRELOAD=$preload
exec "$4" --port="$2" --tokens="$1/model/tokens.txt" --paraformer-encoder="$1/model/encoder.onnx" \
  --paraformer-decoder="$1/model/decoder.onnx" --log-file="$1/sherpa.log" --num-io-threads=2 \
  --num-work-threads=4 --num-threads=1 --high-freq=0 --enable-endpoint=false
