"""``stance score --engine ray``: the same bytes from two workers. Starts Ray on this machine."""

import os
import signal
import socket
import time

import psutil
import pytest

from scoring import count_shards, finish, read_bytes, start, write_form
from stance.cluster import knock
from stance.errors import StanceError

pytestmark = pytest.mark.ray
pytest.importorskip("ray.data", reason="Ray is not installed: pip install '.[ray]'")


def wait_until_gone(processes: set, timeout_s: float = 60) -> set:
    """Return the processes that are still there when the time is up."""
    end = time.monotonic() + timeout_s
    while (left := {process for process in processes if is_alive(process)}) and (
        time.monotonic() < end
    ):
        time.sleep(0.1)
    return left


def is_alive(process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.enable_socket
def test_an_address_where_nobody_listens_is_said_at_once():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
        for name in (address, f"ray://{address}"):
            with pytest.raises(StanceError, match=r"a cluster that answers, found .*refused"):
                knock(name)
    knock("auto")


def test_two_workers_give_the_same_bytes_killed_or_not_and_leave_nothing_running(
    tiny_model, tmp_path, monkeypatch
):
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")  # of no concern to a job of this machine
    texts = [f"kyiv rejected talks , {'war ' * (i % 9)}" for i in range(3000)]
    source = write_form(tmp_path / "in.csv", [*texts, "a" * 1_000_001])
    finish(start(tiny_model, source, tmp_path / "whole" / "out", "--shard-rows", 100))
    out = tmp_path / "ray" / "out"
    call = (tiny_model, source, out, "--shard-rows", 100, "--engine", "ray", "--workers", 2)
    job = start(*call, start_new_session=True)
    while job.poll() is None and count_shards(out) < 3:
        time.sleep(0.01)
    family = {*psutil.Process(job.pid).children(recursive=True)}
    os.killpg(job.pid, signal.SIGKILL)
    assert job.wait() == -signal.SIGKILL, "it must die before it ends"
    assert family
    assert not wait_until_gone(family)
    assert 3 <= count_shards(out) < 31
    job = start(*call, "--resume")
    family = set()
    while job.poll() is None:
        family |= {*psutil.Process(job.pid).children(recursive=True)}
        time.sleep(0.2)
    messages = finish(job)
    assert "3,000 rows" in messages
    assert "could not be scored: 1;" in messages
    assert read_bytes(tmp_path / "ray") == read_bytes(tmp_path / "whole")
    assert not wait_until_gone(family)
