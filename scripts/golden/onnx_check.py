"""Checks ONNX files with ONNX's own checker and shape inference, strictly.

    pip install onnx && python scripts/golden/onnx_check.py FILE...

Files to check: `node scripts/export-examples.mjs FOLDER` writes a network and its train step for every operator set.
"""

import sys

import onnx

for path in sys.argv[1:]:
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    opset = next(one.version for one in model.opset_import if one.domain == "")
    print(f"{path}: opset {opset}, IR {model.ir_version}, {len(model.graph.node)} nodes")
