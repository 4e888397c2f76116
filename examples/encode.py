"""Which sentence feels most like another one: the nearest neighbour by text encoding.

python examples/encode.py [MODEL]
"""

import sys

import numpy as np

import deepmoji

moji = deepmoji.load(*sys.argv[1:])  # without an argument: the model that ships with the package

texts = [
    "so proud of you, you did it!!",
    "i can't sleep and everything hurts",
    "best day ever with my best friends",
]
query = "we won the game, what a night"

encodings = moji.encode([query, *texts])  # float32 [4, 2304] with the shipped model
encodings /= np.linalg.norm(encodings, axis=1, keepdims=True)
similarities = encodings[1:] @ encodings[0]

for index in np.argsort(-similarities):
    print(f"{similarities[index]:.2f}  {texts[index]}")
