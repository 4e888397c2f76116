"""The queue: together, in order, bounded, and nothing swapped."""

import asyncio
import threading

import pytest

from deepmoji.web.batching import Batcher, QueueFull


class Gated:
    """Answers each text with itself, when told to, and remembers what came together."""

    def __init__(self):
        self.open = threading.Event()
        self.batches = []

    def __call__(self, texts):
        self.batches.append(list(texts))
        assert self.open.wait(10)
        return [text.upper() for text in texts]


async def begun(gated):
    while not gated.batches:
        await asyncio.sleep(0.001)


def run(scenario, *, waiting=100, batch=100):
    async def main():
        seen = []
        batcher = Batcher(waiting=waiting, batch=batch, on_batch=seen.append)
        batcher.start()
        try:
            return await scenario(batcher), seen
        finally:
            await batcher.close()

    return asyncio.run(main())


def test_what_waits_is_answered_together_and_in_order():
    gated = Gated()

    async def scenario(batcher):
        first = asyncio.ensure_future(batcher.answer(gated, ["a"]))
        await begun(gated)
        more = [asyncio.ensure_future(batcher.answer(gated, [f"b{k}", f"c{k}"])) for k in range(5)]
        await asyncio.sleep(0)
        assert batcher.waiting == 10
        gated.open.set()
        return [await first, *[await each for each in more]]

    answers, seen = run(scenario)
    assert answers == [["A"], *[[f"B{k}", f"C{k}"] for k in range(5)]]
    assert gated.batches[1] == [text for k in range(5) for text in (f"b{k}", f"c{k}")]
    assert seen == [1, 10]


def test_different_questions_of_one_batch_are_kept_apart():
    gated, other = Gated(), Gated()
    other.open.set()

    async def scenario(batcher):
        first = asyncio.ensure_future(batcher.answer(gated, ["x"]))
        await begun(gated)
        asked = [
            asyncio.ensure_future(batcher.answer(ask, [text]))
            for ask, text in ((gated, "a"), (other, "b"), (gated, "c"))
        ]
        await asyncio.sleep(0)
        gated.open.set()
        await first
        return [await each for each in asked]

    answers, _ = run(scenario)
    assert answers == [["A"], ["B"], ["C"]]
    assert gated.batches == [["x"], ["a", "c"]]


def test_a_batch_is_bounded_but_takes_a_large_request_whole():
    gated = Gated()

    async def scenario(batcher):
        first = asyncio.ensure_future(batcher.answer(gated, ["x"]))
        await begun(gated)
        asked = [asyncio.ensure_future(batcher.answer(gated, ["a"] * n)) for n in (2, 2, 9, 1)]
        await asyncio.sleep(0)
        gated.open.set()
        await first
        return [len(await each) for each in asked]

    answers, _ = run(scenario, batch=4)
    assert answers == [2, 2, 9, 1]
    assert [len(batch) for batch in gated.batches] == [1, 4, 9, 1]


def test_a_full_queue_refuses_and_then_takes_again():
    gated = Gated()

    async def scenario(batcher):
        first = asyncio.ensure_future(batcher.answer(gated, ["x"]))
        await begun(gated)
        waiting = asyncio.ensure_future(batcher.answer(gated, ["a"] * 6))
        await asyncio.sleep(0)
        with pytest.raises(QueueFull):
            await batcher.answer(gated, ["b"] * 5)
        with pytest.raises(QueueFull):
            await batcher.answer(gated, ["b"], cost=5)
        fits = asyncio.ensure_future(batcher.answer(gated, ["c"] * 4))
        await asyncio.sleep(0)
        gated.open.set()
        await asyncio.gather(first, waiting, fits)
        # More than may wait, but nothing does.
        return await batcher.answer(gated, ["d"] * 20)

    answers, _ = run(scenario, waiting=10)
    assert len(answers) == 20


def test_an_error_goes_to_those_who_asked_and_the_next_are_answered():
    def fail(texts):
        raise RuntimeError("broken")

    def too_few(texts):
        return texts[1:]

    async def scenario(batcher):
        failed = [asyncio.ensure_future(batcher.answer(fail, [t])) for t in "ab"]
        results = await asyncio.gather(*failed, return_exceptions=True)
        assert [str(each) for each in results] == ["broken", "broken"]
        with pytest.raises(AssertionError, match="rows"):
            await batcher.answer(too_few, ["a", "b"])
        return await batcher.answer(list, ["fine"])

    assert run(scenario)[0] == ["fine"]


def test_whoever_leaves_takes_nothing_from_the_others():
    gated = Gated()

    async def scenario(batcher):
        first = asyncio.ensure_future(batcher.answer(gated, ["x"]))
        await begun(gated)
        leaving = asyncio.ensure_future(batcher.answer(gated, ["a"]))
        staying = asyncio.ensure_future(batcher.answer(gated, ["b"]))
        await asyncio.sleep(0)
        leaving.cancel()
        gated.open.set()
        await first
        return await staying

    assert run(scenario)[0] == ["B"]


def test_closing_answers_what_waits_and_takes_no_more():
    gated = Gated()

    async def main():
        batcher = Batcher(waiting=10, batch=1)
        batcher.start()
        asked = [asyncio.ensure_future(batcher.answer(gated, [text])) for text in "abc"]
        await begun(gated)
        closing = asyncio.ensure_future(batcher.close())
        await asyncio.sleep(0)
        with pytest.raises(QueueFull):
            await batcher.answer(gated, ["d"])
        gated.open.set()
        await closing
        return [await each for each in asked]

    assert asyncio.run(main()) == [["A"], ["B"], ["C"]]


def test_no_texts_need_no_thread():
    async def scenario(batcher):
        return await batcher.answer(list, [])

    assert run(scenario) == ([], [])
