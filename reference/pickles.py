"""Small pickles of embeddings in the layouts of ClipCap's, CapDec's and CgT-GAN's scripts,
for the tests of internal/convert.

    OPENBLAS_CORETYPE=SkylakeX /usr/bin/python3 reference/pickles.py internal/convert/testdata
"""

import os
import pickle
import sys

import torch


def main(folder):
    # Row i of matrix m is m + i + its column's number / 8, which fp16 holds exactly.
    matrix = lambda m, rows: m + torch.arange(rows).view(-1, 1) + torch.arange(4) / 8
    captions = [
        {"image_id": "391895", "id": 770337, "caption": "A man with a red helmet.", "clip_embedding": 0},
        {"image_id": 522418, "id": 681330, "caption": "A woman cutting a cake.", "clip_embedding": 1},
        {"image_id": "391895", "id": 771687, "caption": "A man riding on a motor bike.", "clip_embedding": 2},
    ]
    several = [dict(c, caption=[c["caption"], "Another."]) for c in captions[:2]]
    empty = [dict(c, caption="") for c in captions]
    files = {
        "clipcap": ({"clip_embedding": matrix(0, 3).half(), "captions": captions}, 4),
        "clipcap_protocol2": ({"clip_embedding": matrix(0, 3), "captions": captions}, 2),
        "capdec": ({"clip_embedding": torch.empty(0), "captions": captions, "clip_embedding_text_dave": matrix(100, 3)}, 4),
        "both": ({"clip_embedding": matrix(0, 3).half(), "captions": empty, "clip_embedding_text_dave": matrix(100, 3).half()}, 4),
        "cgtgan_images": ({"clip_embedding": matrix(0, 2).half(), "captions": several}, 4),
        "cgtgan_pairs": ([{"image": i, "caption": c} for i, c in zip(matrix(0, 3).half(), matrix(100, 3).half())], 4),
        "cgtgan_sentences": (["A man with a red helmet.", "A woman\ncutting a cake."], 4),
    }
    for name, (value, protocol) in files.items():
        with open(os.path.join(folder, name + ".pkl"), "wb") as f:
            pickle.dump(value, f, protocol=protocol)
    torch.save(files["clipcap"][0], os.path.join(folder, "clipcap.pt"))


if __name__ == "__main__":
    main(sys.argv[1])
