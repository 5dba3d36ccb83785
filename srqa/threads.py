"""Pictures on worker threads: a window of tasks under way, and a process tuned for it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import lru_cache
from threading import Barrier
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")


def in_threads(tasks: Iterator[Callable[[], T]], workers: int) -> Generator[T, None, None]:
    """What tasks return, as they are done; at most twice as many as workers are under way.

    Closing the generator stops after the tasks in hand.
    """
    executor = ThreadPoolExecutor(workers, "srqa")
    try:
        running: set[Future[T]] = set()
        while True:
            while len(running) < 2 * workers and (task := next(tasks, None)) is not None:
                running.add(executor.submit(task))
            if not running:
                return
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                yield future.result()
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def each(function: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """What `function` gives for each item, in order, in as many threads as OpenCV may use.

    For the parts of one picture: see `tuned_process` for how many threads it has.
    """
    import cv2

    threads = min(cv2.getNumThreads(), len(items))
    if threads < 2:
        return [function(item) for item in items]
    with ThreadPoolExecutor(threads, "srqa-part") as pool:
        return list(pool.map(function, items))


def each_on_tensors(function: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """What `function` gives for each item, in as many threads as torch may use on the CPU.

    Its kernels use one thread each: those of a small part of a map are so short that threads
    inside them cost more than they save. Gradients are not tracked.
    """
    import torch

    threads, inference = torch.get_num_threads(), torch.is_inference_mode_enabled()

    def run(item: T) -> R:
        with torch.inference_mode(inference), torch.no_grad():  # these are a thread's own
            return function(item)

    if min(threads, len(items)) < 2:
        return [run(item) for item in items]
    return list(_pool_on_tensors(threads, os.getpid()).map(run, items))


@lru_cache(maxsize=4)
def _pool_on_tensors(threads: int, process: int) -> ThreadPoolExecutor:
    """Threads in which torch's kernels use one thread. `process`: a fork has no threads."""
    import torch

    started = Barrier(threads)

    def begin() -> None:
        torch.set_num_threads(1)
        torch.get_num_threads()  # the thread takes it for good
        started.wait()

    pool = ThreadPoolExecutor(threads, "srqa-tensor")
    for done in [pool.submit(begin) for _ in range(threads)]:
        done.result()
    torch.set_num_threads(threads)  # for this thread, and for new ones
    return pool


@contextmanager
def tuned_process(threads: int = 1, *, maps: bool = False) -> Iterator[None]:
    """One picture a worker thread beats many threads in one picture; undone afterwards.

    So OpenCV may use only `threads`, more than one where pictures are fewer than cores.
    Freed memory is kept while pictures come and go: giving it back to the system after each, as
    glibc does with large blocks, costs half as much time as decoding. With `maps`, networks run:
    their maps are kept as well, and all threads share what is kept.
    """
    import cv2

    before = cv2.getNumThreads()
    cv2.setNumThreads(threads)
    allocator = _glibc()
    if allocator:
        allocator.mallopt(_M_ARENA_MAX, 1 if maps else 0)
        allocator.mallopt(_M_MMAP_THRESHOLD, (1024 if maps else 64) * 2**20)
        allocator.mallopt(_M_TRIM_THRESHOLD, (2047 if maps else 256) * 2**20)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
        if allocator:
            allocator.mallopt(_M_ARENA_MAX, 0)
            allocator.mallopt(_M_MMAP_THRESHOLD, 32 * 2**20)
            allocator.mallopt(_M_TRIM_THRESHOLD, 2**20)
            allocator.malloc_trim(0)


_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8


def _glibc() -> Any:
    """The C library if it is glibc, else None."""
    if not sys.platform.startswith("linux"):
        return None
    import ctypes

    library = ctypes.CDLL(None)
    return library if hasattr(library, "gnu_get_libc_version") else None
