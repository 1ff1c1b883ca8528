"""The loops of the works, for peers that block. They call a socket's own methods, so they add nothing to a call."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from time import perf_counter
from typing import Any, TypeAlias

from . import fanout
from .job import Job

Send: TypeAlias = Callable[[Any], object]
Receive: TypeAlias = Callable[[], Any]


def pull(job: Job, receive: Receive) -> None:
    """Receive everything."""
    for _ in range(job.warm):
        receive()
    start = job.start_clock()
    for _ in range(job.count - 1):
        receive()
    message = receive()
    job.measured(perf_counter() - start, message)


def push(job: Job, send: Send) -> None:
    """Send everything."""
    messages = job.messages()
    for message in islice(messages, job.warm):
        send(message)
    job.start_clock()
    for message in islice(messages, job.count - 1):
        send(message)
    send(job.last)


def echo(job: Job, receive: Receive, send: Send) -> None:
    """Send each message back as it came: the server's side of requests."""
    for _ in range(job.warm):
        send(receive())
    job.start_clock()
    for _ in range(job.count + job.scheduled):
        send(receive())
    job.stop_clock()


def request(job: Job, send: Send, receive: Receive) -> None:
    """Send a request, wait for its reply, and so on."""
    messages = job.messages()
    for message in islice(messages, job.warm):
        send(message)
        receive()
    start = job.start_clock()
    for message in islice(messages, job.count - 1):
        send(message)
        receive()
    send(job.last)
    reply = receive()
    job.measured(perf_counter() - start, reply)


def in_flight(job: Job, send: Send, receive: Receive) -> None:
    """Keep requests in flight: a new one for each reply."""
    messages, depth = job.messages(), job.work.in_flight
    for message in islice(messages, depth):
        send(message)
    for message in islice(messages, job.warm):
        receive()
        send(message)
    start = job.start_clock()
    for message in islice(messages, job.count - depth - 1):
        receive()
        send(message)
    receive()
    send(job.last)
    for _ in range(depth - 1):
        receive()
    reply = receive()
    job.measured(perf_counter() - start, reply)


def publish(job: Job, send: Send, receive_ack: Receive) -> None:
    """Publish two topics, paced by acknowledgements."""
    acknowledged = 0
    for needed, batch in fanout.publications(job):
        while acknowledged < needed:
            receive_ack()
            acknowledged += 1
        for message in batch:
            send(message)
    job.stop_clock()
