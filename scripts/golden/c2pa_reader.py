"""
Reads files that dfl sealed with another implementation of C2PA than ours, c2pa-rs, and fails where that does not find them
intact and said to be synthetic. That the signer of a self-made certificate is not trusted is as it should be.

    pip install c2pa-python
    python scripts/golden/c2pa_reader.py result.mp4 still.png
"""

import json
import sys

import c2pa

WANTED = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"

for path in sys.argv[1:]:
    read = json.loads(c2pa.Reader(path).json())
    manifest = read["manifests"][read["active_manifest"]]
    faults = {one["code"] for one in read["validation_results"]["activeManifest"]["failure"]}
    actions = [
        action
        for assertion in manifest["assertions"]
        if assertion["label"].startswith("c2pa.actions")
        for action in assertion["data"]["actions"]
    ]
    said = [action.get("digitalSourceType") for action in actions]
    print(path, read["validation_state"], [action["action"] for action in actions], manifest["signature_info"]["issuer"])
    assert read["validation_state"] in ("Valid", "Trusted"), faults
    assert faults <= {"signingCredential.untrusted"}, faults
    assert WANTED in said, said
    assert manifest["ingredients"][0]["relationship"] == "parentOf"
