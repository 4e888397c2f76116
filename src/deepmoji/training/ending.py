"""Whether a run is at its end, and whether one that was may go on."""

from deepmoji.config import PretrainConfig
from deepmoji.errors import InputError
from deepmoji.training.checkpoint import Saved, State


def check_schedule(state: State, config: PretrainConfig, steps: int) -> None:
    """Refuse another number of steps once the rate has begun to fall for the first.

    Args:
        state: of the run so far.
        config: the settings that it is to go on with.
        steps: how many there are with these.

    Raises:
        InputError: if the result would not be that of a run of so many steps.
    """
    before = state.steps or steps
    flat = (1 - config.decay) * min(before, steps)
    if before != steps and state.step > flat:
        raise InputError(
            f"this run was begun with {before} steps and its learning rate is falling since "
            f"step {flat:.0f}; go on with the same --epochs, or choose another --out"
        )


def reopen(saved: Saved, config: PretrainConfig, steps: int) -> None:
    """Let a finished run go on, exactly, if other settings put its end elsewhere.

    Args:
        saved: the run; its state is changed in place.
        config: the settings that it is started again with.
        steps: how many there are with these.

    Raises:
        InputError: if it has gone beyond that end, or cannot go on.
    """
    state = saved.state
    if _is_same_end(state, config, steps):
        return
    if not saved.goes_on:
        raise InputError(
            "this run is finished, and cannot go on: its batches or its arithmetic were others; "
            "give the --epochs and --patience that it was made with, or choose another --out"
        )
    check_schedule(state, config, steps)
    every = state.settings.get("evaluate_every", config.evaluate_every)
    if state.is_evaluated and state.step == state.steps < steps and state.step % every:
        _forget_last(state)
    stop = _stop(state, config)
    if stop is not None and stop < state.step:
        raise InputError(
            f"with --patience {config.patience} this run would have stopped at step {stop}, and "
            f"it has come to step {state.step}; give more, or choose another --out"
        )
    state.is_finished = False


def _is_same_end(state: State, config: PretrainConfig, steps: int) -> bool:
    """Tell whether a finished run ends where it has with these settings, too."""
    # An older version ended a run unseen that was cut to where it was.
    if not state.is_evaluated or state.steps not in (0, steps):
        return False
    if state.settings:
        return state.settings["patience"] == config.patience
    # A version that did not note its patience: what it waited for says that.
    return state.step >= steps or state.waited(config.evaluate_every) >= config.patience


def _forget_last(state: State) -> None:
    """Take back the evaluation at the end of a run, which a longer one does not make."""
    if state.best_step == state.step and len(state.history) > 1 and not state.is_best_extra:
        raise InputError(
            "this run cannot be made longer exactly: the weights at its end have taken the place "
            "of those that were best before; choose another --out"
        )
    state.history.pop()
    state.best_loss, state.best_step, state.is_best_extra = float("inf"), 0, False
    for each in state.history:
        if each["natural_loss"] < state.best_loss:
            state.best_loss, state.best_step = each["natural_loss"], int(each["step"])


def _stop(state: State, config: PretrainConfig) -> int | None:
    """Return at which evaluation so far patience would have ended a run; None: at none."""
    lowest, best_step = float("inf"), 0
    for each in state.history:
        step = int(each["step"])
        if each["natural_loss"] < lowest:
            lowest, best_step = each["natural_loss"], step
        if (step - best_step) // config.evaluate_every >= config.patience:
            return step
    return None
