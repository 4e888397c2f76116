"""The end of pretraining: the best weights of a run, calibrated and measured, as a bundle."""

from importlib.metadata import version
from pathlib import Path
from platform import python_version

from deepmoji.bundle import Bundle, Contents
from deepmoji.config import MAX_TOKENS
from deepmoji.training.calibration import calibrate
from deepmoji.training.export import SAMPLE_TEXTS, save_network
from deepmoji.training.guide import without_guess
from deepmoji.training.hardware import Hardware, fix_threads
from deepmoji.training.material import read_priors
from deepmoji.training.network import Network
from deepmoji.training.record import corpus_record
from deepmoji.training.run import Run

_MAKERS = ("deepmoji", "torch", "lightning-fabric", "onnx", "onnxruntime")


def finish(run: Run, out: Path, hardware: Hardware) -> Bundle:
    """Calibrate the best weights of a run, measure them on the test split and write a bundle.

    Raises:
        InputError: if the run has no weights yet.
        BundleError: if the exported model does not agree with the trained one.
    """
    fix_threads()
    checkpoint = run.checkpoint()
    corpus = run.open_corpus()
    network = Network(run.model)
    state = checkpoint.load_state()
    best = checkpoint.load_best(is_extra=state.is_best_extra)
    network.load_state_dict(without_guess(best))
    network.eval()
    priors = read_priors(corpus, run.config)
    validation, test = corpus.read_split("validation"), corpus.read_split("test")
    measured = calibrate(network, validation=validation, test=test, priors=priors)
    # The run may be finished for long, and this be a start with other settings, on another device.
    record = {
        "made_with": {name: version(name) for name in _MAKERS} | {"python": python_version()},
        "hardware": hardware.described
        | {"processes": hardware.count(run.config.batch_size)}
        | state.hardware,
        **corpus_record(corpus),
        "settings": run.config.to_dict() | state.settings,
        "steps": state.best_step,
        "seconds": round(state.seconds),
        "history": state.history,
        **run.given(),
        **measured,
    }
    contents = Contents(
        config=run.model,
        vocabulary=corpus.vocabulary,
        labels=corpus.labels,
        max_tokens=MAX_TOKENS,
    )
    texts = (test.texts or SAMPLE_TEXTS)[:500]
    return save_network(network, out, contents=contents, training=record, texts=texts)
