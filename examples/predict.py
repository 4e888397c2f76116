"""The emojis of some sentences, and which words mattered.

python examples/predict.py [MODEL]
"""

import sys

import deepmoji

moji = deepmoji.load(*sys.argv[1:])  # without an argument: the model that ships with the package

for prediction in moji.predict(["I love how you never reply back..", "This is the shit"], top=3):
    emojis = "  ".join(f"{label} {probability:.0%}" for label, probability in prediction.top)
    word = max(prediction.words, key=lambda word: word.weight)
    print(f"{prediction.text!r}: {emojis}  (most attention: {word.text!r}, {word.weight:.0%})")
